"""price_impact(mid, side, rows): how far the mid went the trade's way in the `rows` rows after it.

    s[t] = 2 side[t-rows] (mid[t] - mid[t-rows])

It judges the trade `rows` rows ago: a row sees nothing that comes after it. Twice the move, so that
it is the part of the `effective_spread` that `realized_spread` is not. Null for the first `rows`
rows, where an input is, and where the side was 0. Unit: the unit of mid.
Source: Huang and Stoll (1996), Journal of Financial Economics 41(3), 313-357.
"""

from qf.op import define

op = define(
    "price_impact(mid, side, rows: 1..100000)",
    unit="mid",
    example="price_impact(mid, direction, 100)",
)
op.formula("where(lag(side, rows) == 0, null, 2 * lag(side, rows) * diff(mid, rows))")
