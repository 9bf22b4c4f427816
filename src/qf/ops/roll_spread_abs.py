"""roll_spread_abs(x, window): Roll's spread with the sign of the covariance ignored.

    S[t] = 2 sqrt( |cov(x[i] - x[i-1], x[i-1] - x[i-2])| ),  i = t-window+1 .. t

The popular form: it shows a spread in a trend, where Roll's model has none (see `roll_spread`).
Null until window + 2 rows exist and while one is null. Unit: the unit of x.
Source: Lopez de Prado (2018), Advances in Financial Machine Learning, 19.3.1.
"""

from qf.op import define

op = define(
    "roll_spread_abs(x, window: 2..10000)",
    unit="x",
    example="roll_spread_abs(price, 100)",
)
op.formula("2 * sqrt(abs(rolling_cov(diff(x), lag(diff(x), 1), window)))")
