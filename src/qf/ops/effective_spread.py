"""effective_spread(price, mid, side): what a trade paid for being at once, both ways.

    s[t] = 2 side[t] (price[t] - mid[t])

`side` is +1 where the aggressor bought, -1 where it sold. Below the quoted spread where trades find
better prices, above it where they walk the book. Null where an input is and where the side is 0.
Unit: the unit of price.
Source: Lee (1993), Journal of Finance 48(3), 1009-1038; Huang and Stoll (1996), JFE 41(3), 313-357.
"""

from qf.op import define

op = define(
    "effective_spread(price, mid, side)",
    unit="price",
    example="effective_spread(price, mid, direction)",
)
op.formula("where(side == 0, null, 2 * side * (price - mid))")
