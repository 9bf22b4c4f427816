"""lee_ready(price, mid): the side of a trade by the quote, at the mid by the last move.

    s[t] = sign(price[t] - mid[t]),  or tick_rule(price)[t] where that is 0 or the mid is missing

0 before there is evidence: unknown, never bought by default. The column `mid` is the quote strictly
before the trade. The lag of 1991 (quotes were reported ahead of trades) is written
`lee_ready(price, lag(mid, 1))`. Null where the price is. Unit: none.
Source: Lee and Ready (1991), Journal of Finance 46(2), 733-746.
"""

from qf.op import define

op = define("lee_ready(price, mid)", unit="1", example="lee_ready(price, mid)")
op.formula("where(coalesce(price == mid, true), tick_rule(price), sign(price - mid))")
