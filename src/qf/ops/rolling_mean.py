"""rolling_mean(x, window): mean of the last `window` rows.

    m[t] = (x[t-window+1] + … + x[t]) / window

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
A window of equal values has exactly that mean.
Source: van Herk (1992), Pattern Recognition Letters 13(7), 517-521 (the sum, in blocks).
"""

import math

from qf.missing import any_missing, finite_or_null
from qf.op import SUM, define
from qf.sums import TAILS, slide_sum
from qf.windows import window_sum

op = define(
    "rolling_mean(x, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: window + 1 + TAILS,
    ints=lambda window: 1,
    tolerance=SUM,
    unit="x",
    window_form="window_mean",
    example="rolling_mean(size, 20)",
)


@op.definition
def definition(x, window):
    last = x[-window:]
    if any_missing(last):
        return math.nan
    return last[0] if min(last) == max(last) else math.fsum(last) / window


@op.polars
def polars(x, window):
    import polars as pl

    quiet = x.rolling_max(window) == x.rolling_min(window)
    mean = finite_or_null(window_sum(x, window) / window)
    return pl.when(quiet).then(x).otherwise(mean)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_sum(x, lo, hi, int(params[0]), True, out, state, ints)
