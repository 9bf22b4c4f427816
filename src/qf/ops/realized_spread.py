"""realized_spread(price, mid, side, rows): what the other side of a trade kept of it, `rows` later.

    s[t] = 2 side[t-rows] (price[t-rows] - mid[t])

It judges the trade `rows` rows ago: a row sees nothing that comes after it. The effective spread of
that trade is this plus its `price_impact`; negative where the maker lost to what the trade knew.
Null for the first `rows` rows, where an input is, and where the side was 0.
Unit: the unit of price.
Source: Huang and Stoll (1996), Journal of Financial Economics 41(3), 313-357.
"""

from qf.op import define

op = define(
    "realized_spread(price, mid, side, rows: 1..100000)",
    unit="price",
    example="realized_spread(price, mid, direction, 100)",
)
op.formula("where(lag(side, rows) == 0, null, 2 * lag(side, rows) * (lag(price, rows) - mid))")
