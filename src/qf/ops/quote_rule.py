"""quote_rule(price, mid): the side of a trade by where it lies against the mid, +1 bought, -1 sold.

    s[t] = sign(price[t] - mid[t])

0 at the mid: unknown. The column `mid` is the quote strictly before the trade; an older one is
written `lag(mid, 1)`. Null where the price or the mid is. Unit: none.
Source: Hasbrouck (1988), Journal of Financial Economics 22(2), 229-252.
"""

from qf.op import define

op = define("quote_rule(price, mid)", unit="1", example="quote_rule(price, mid)")
op.formula("sign(price - mid)")
