"""fading_levels(family, levels, keep): sum of a book family's levels, each deeper one lighter.

    s = sum over levels l of keep^l family_l,   l = 0 .. levels-1

keep = 1 is `sum_levels`, keep = 0 the best level alone. Null where a level in it is null. Unit: the
unit of the family. Written out when the formula is compiled.
Source: Xu, Gould and Howison (2018), Market Microstructure and Liquidity 4(3) (flow by level).
"""

from qf.op import define

op = define(
    "fading_levels(family, levels: 1..100, keep: 0.0..1.0)",
    unit="family",
    example="fading_levels(ofi, 5, 0.5)",
)


@op.expand
def expand(family, levels, keep):
    return " + ".join(f"{keep**level!r} * {family}_{level}" for level in range(levels))
