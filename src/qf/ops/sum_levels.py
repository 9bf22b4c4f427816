"""sum_levels(family, levels): sum of a book family's first `levels` levels.

    sum_levels(ofi, 3) = ofi_0 + ofi_1 + ofi_2

Null where a level in it is null. Unit: the unit of the family. Written out when the formula is
compiled; the families are bid_price, ask_price, bid_size, ask_size and ofi.
Source: definition.
"""

from qf.op import define

op = define("sum_levels(family, levels: 1..100)", unit="family", example="sum_levels(bid_size, 5)")


@op.expand
def expand(family, levels):
    return " + ".join(f"{family}_{level}" for level in range(levels))
