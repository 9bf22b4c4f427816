"""at_level(family, level): one level of a book family, its number a parameter.

    at_level(ofi, 2) = ofi_2

Level 0 is the best. Null where that level is null. Unit: the unit of the family. Written out when
the formula is compiled; the families are bid_price, ask_price, bid_size, ask_size and ofi.
Source: definition.
"""

from qf.op import define

op = define("at_level(family, level: 0..99)", unit="family", example="at_level(ofi, 2)")


@op.expand
def expand(family, level):
    return f"{family}_{level}"
