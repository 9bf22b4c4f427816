"""amihud(x, value, window): mean size of a log return over the money traded in its row.

    A[t] = mean( |ln(x[i] / x[i-1])| / value[i] ),  i = t-window+1 .. t

Null until window + 1 rows exist and while one is null or traded nothing. Unit: 1 over the unit of
value. Source: Amihud (2002), Journal of Financial Markets 5(1), 31-56.
"""

from qf.op import define

op = define(
    "amihud(x, value, window: 1..10000)",
    unit="1/value",
    example="amihud(price, value, 200)",
)
op.formula("rolling_mean(abs(log_return(x)) / value, window)")
