"""kyle_lambda_bars(x, volume, window): mean size of a price change over the volume of its bar.

    k[t] = mean( |x[i] - x[i-1]| / volume[i] ),  i = t-window+1 .. t

The popular form for bars: each bar's volume is given the sign of its own change, so every ratio is
positive. It is an illiquidity, not a regression (see `kyle_lambda`). Null until window + 1 rows
exist and while one is null or has no volume. Unit: the unit of x over that of volume.
Source: mlfinlab 1.0, get_bar_based_kyle_lambda; Lopez de Prado (2018), 19.4.1.
"""

from qf.op import define

op = define(
    "kyle_lambda_bars(x, volume, window: 1..10000)",
    unit="x/volume",
    example="kyle_lambda_bars(close, volume, 20)",
)
op.formula("rolling_mean(abs(diff(x)) / volume, window)")
