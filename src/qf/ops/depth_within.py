"""depth_within(bps, side, levels): size that rests within `bps` basis points of the mid.

    d = sum over levels l < `levels` of size_l  where  |price_l - mid| <= mid bps / 10000

`side` is both, bid or ask. Where the last level is itself within reach, more may lie behind it:
take more levels. Null where a level or the mid is null. Unit: base. Written out when the formula
is compiled.
Source: Kirilenko, Kyle, Samadi and Tuzun (2017), Journal of Finance 72(3) (depth near the price).
"""

from qf.op import define

op = define(
    "depth_within(bps: 0.0..10000.0, side: both|bid|ask = both, levels: 1..100 = 20)",
    unit="base",
    example='depth_within(10, "both", 5)',
)


@op.expand
def expand(bps, side, levels):
    reach = bps / 10_000
    inside = {"bid": f">= mid * {1.0 - reach!r}", "ask": f"<= mid * {1.0 + reach!r}"}
    chosen = ("bid", "ask") if side == "both" else (side,)
    return " + ".join(
        f"where({each}_price_{level} {inside[each]}, {each}_size_{level}, 0)"
        for each in chosen
        for level in range(levels)
    )
