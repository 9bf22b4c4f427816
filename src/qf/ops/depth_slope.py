"""depth_slope(side, levels): how fast size piles up with the distance from the mid.

    s = sum(d_l C_l) / sum(d_l^2),   l = 0 .. levels-1
    d_l = 10000 |price_l - mid| / mid,   C_l = size_0 + … + size_l

The least-squares line through the origin of cumulated size against distance: a steep book (high)
takes more size per basis point. `side` is bid or ask. Null where a level or the mid is null.
Unit: base per basis point. Written out when the formula is compiled.
Source: Naes and Skjeltorp (2006), Journal of Financial Markets 9(4), 408-432 (the book's slope).
"""

from qf.op import define

op = define(
    "depth_slope(side: bid|ask, levels: 1..30 = 5)",
    unit="base/bps",
    example='depth_slope("bid", 5)',
)


@op.expand
def expand(side, levels):
    sums, products, squares = [], [], []
    for level in range(levels):
        sums.append(f"{side}_size_{level}")
        distance = f"(10000 * abs({side}_price_{level} - mid) / mid)"
        products.append(f"{distance} * ({' + '.join(sums)})")
        squares.append(f"{distance} * {distance}")
    return f"({' + '.join(products)}) / ({' + '.join(squares)})"
