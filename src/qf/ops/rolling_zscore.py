"""rolling_zscore(x, window): how many standard deviations the value is from the mean of its window.

    z[t] = (x[t] - mean) / s,  mean and sample deviation s of rows t-window+1 .. t

Null until `window` rows exist and while a row in the window is null. Unit: none.
0 where s is 0. The value is inside its own window, so abs(z) <= (window - 1) / sqrt(window).
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing, finite_or_null
from qf.moments import ZSCORE, centred, slide_squares
from qf.op import MOMENT, define
from qf.windows import whole, window_moments

op = define(
    "rolling_zscore(x, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 4,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="1",
    window_form="window_zscore",
    example="rolling_zscore(mid, 20)",
)


@op.definition
def definition(x, window):
    last = x[-window:]
    if any_missing(last):
        return math.nan
    gaps = centred(last)
    spread = math.fsum(gap * gap for gap in gaps) / (window - 1)
    return gaps[-1] / math.sqrt(spread) if spread > 0.0 else 0.0


@op.polars
def polars(x, window):
    import polars as pl

    gap, square = window_moments(x, window)
    quiet = x.rolling_max(window) == x.rolling_min(window)
    found = pl.when(quiet).then(0.0).otherwise(gap / (square / (window - 1)).sqrt())
    return whole(finite_or_null(found), window, x)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_squares(x, lo, hi, int(params[0]), 0, ZSCORE, out, state, ints)
