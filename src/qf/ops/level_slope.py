"""level_slope(family, levels): growth per level of a book family over its first levels.

    b = sum((l - l') f_l) / sum((l - l')^2),   l = 0 .. levels-1,  l' their mean

The least-squares line against the level's number. Null where a level in it is null.
Unit: the unit of the family, per level. Written out when the formula is compiled.
Source: Gauss (1809), Theoria motus (least squares).
"""

from qf.op import define

op = define(
    "level_slope(family, levels: 2..100)", unit="family", example="level_slope(bid_size, 5)"
)


@op.expand
def expand(family, levels):
    middle = (levels - 1) / 2
    weight = levels * (levels * levels - 1) / 12
    return " + ".join(f"{(k - middle) / weight!r} * {family}_{k}" for k in range(levels))
