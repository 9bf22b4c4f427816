"""weighted_depth(levels): size on both sides, nearer levels weighing more.

    d = sum over levels l of (bid_size_l + ask_size_l) / (l + 1),   l = 0 .. levels-1

Null where a level in it is null. Unit: base. Written out when the formula is compiled.
Source: Cao, Hansch and Wang (2009), Journal of Futures Markets 29(1), weigh by level likewise.
"""

from qf.op import define

op = define("weighted_depth(levels: 1..100)", unit="base", example="weighted_depth(5)")


@op.expand
def expand(levels):
    return " + ".join(
        f"(bid_size_{level} + ask_size_{level}) / {level + 1}" for level in range(levels)
    )
