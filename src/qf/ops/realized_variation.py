"""realized_variation(x, window): square root of the sum of the last `window` squared log returns.

    RV[t] = sqrt( sum(r[i]^2) ),  r[i] = ln(x[i] / x[i-1]),  i = t-window+1 .. t

The volatility of the whole window, not per row and with no mean taken off. Null until window + 1
rows exist and while one of them is null or not above 0. Unit: none (a log return).
Source: Andersen, Bollerslev (1998), International Economic Review 39(4), 885-905.
"""

from qf.op import define

op = define(
    "realized_variation(x, window: 1..10000)",
    unit="1",
    example="realized_variation(price, 100)",
)
op.formula("sqrt(rolling_sum(log_return(x) * log_return(x), window))")
