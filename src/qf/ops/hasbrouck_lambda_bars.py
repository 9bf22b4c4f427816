"""hasbrouck_lambda_bars(x, value, window): mean log return over the root of its bar's money.

    k[t] = mean( |ln(x[i] / x[i-1])| / sqrt(value[i]) ),  i = t-window+1 .. t

The popular form for bars: each bar's money is given the sign of its own return (see
`hasbrouck_lambda` for the regression). Null until window + 1 rows exist and while one is null or
traded nothing. Unit: 1 over the root of the unit of value.
Source: mlfinlab 1.0, get_bar_based_hasbrouck_lambda; Lopez de Prado (2018), 19.4.3.
"""

from qf.op import define

op = define(
    "hasbrouck_lambda_bars(x, value, window: 1..10000)",
    unit="1/value^0.5",
    example="hasbrouck_lambda_bars(close, value, 20)",
)
op.formula("rolling_mean(abs(log_return(x)) / sqrt(value), window)")
