"""near_depth(bps, side, levels): resting size, fading with its distance from the mid.

    d = sum over levels l < `levels` of size_l exp(-distance_l / bps)
    distance_l = 10000 |price_l - mid| / mid

`bps` is the distance at which size counts 1/e; `side` is both, bid or ask. `weighted_depth` fades
with the level's number instead. Null where a level or the mid is null. Unit: base. Written out
when the formula is compiled.
Source: definition (exponential weights by distance).
"""

from qf.op import define

op = define(
    "near_depth(bps: 0.01..10000.0, side: both|bid|ask = both, levels: 1..100 = 20)",
    unit="base",
    example='near_depth(5, "both", 5)',
)


@op.expand
def expand(bps, side, levels):
    chosen = ("bid", "ask") if side == "both" else (side,)
    fall = 10_000.0 / bps
    return " + ".join(
        f"{each}_size_{level} * exp({fall!r} * (0 - abs({each}_price_{level} - mid) / mid))"
        for each in chosen
        for level in range(levels)
    )
