"""roll_spread(x, window): the spread that the bounce between bid and ask betrays.

    S[t] = 2 sqrt( -cov(x[i] - x[i-1], x[i-1] - x[i-2]) ),  i = t-window+1 .. t

Null where the covariance is above 0, for which the model has no spread; `roll_spread_abs` takes
its size instead. Null until window + 2 rows exist and while one is null. Unit: the unit of x.
Source: Roll (1984), Journal of Finance 39(4), 1127-1139.
"""

from qf.op import define

op = define(
    "roll_spread(x, window: 2..10000)",
    unit="x",
    example="roll_spread(price, 100)",
)
op.formula("2 * sqrt(-rolling_cov(diff(x), lag(diff(x), 1), window))")
