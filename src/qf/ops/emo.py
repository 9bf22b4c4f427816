"""emo(price, bid, ask): the side of a trade by the quote that it hit, else by the last move.

    s[t] = +1 at the ask, -1 at the bid, else tick_rule(price)[t]

Off the two quotes the paper finds the tick rule better than the nearer quote. 0 before there is
evidence; a missing quote is none. Null where the price is. Unit: none.
Source: Ellis, Michaely and O'Hara (2000), J. Financial and Quantitative Analysis 35(4), 529-551.
"""

from qf.op import define

op = define("emo(price, bid, ask)", unit="1", example="emo(price, bid_price_0, ask_price_0)")
op.formula(
    "where(coalesce(price == ask, false), 1, where(coalesce(price == bid, false), -1,"
    " tick_rule(price)))"
)
