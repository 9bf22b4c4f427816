"""clnv(price, bid, ask): the side of a trade by the quote it is near to, else by the last move.

    s[t] = +1 where ask - .3 w <= price <= ask,  -1 where bid <= price <= bid + .3 w,  w = ask - bid
           else tick_rule(price)[t]

The middle .4 of the spread, and what lies outside the quotes, goes to the tick rule. 0 before
there is evidence; a missing quote is none. Null where the price is. Unit: none.
Source: Chakrabarty, Li, Nguyen and Van Ness (2007), Journal of Banking & Finance 31(12), 3806-3821.
"""

from qf.op import define

op = define("clnv(price, bid, ask)", unit="1", example="clnv(price, bid_price_0, ask_price_0)")
op.formula(
    "where(coalesce(price <= ask and price >= ask - 0.3 * (ask - bid), false), 1,"
    " where(coalesce(price >= bid and price <= bid + 0.3 * (ask - bid), false), -1,"
    " tick_rule(price)))"
)
