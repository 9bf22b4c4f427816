"""rolling_var(x, window): sample variance of the last `window` rows.

    v[t] = sum((x[i] - mean)^2) / (window - 1),  i = t-window+1 .. t

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x, squared.
A window of equal values has exactly 0.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing, finite_or_null
from qf.moments import VARIANCE, centred, slide_squares
from qf.op import MOMENT, define
from qf.windows import whole, window_moments

op = define(
    "rolling_var(x, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 4,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="x^2",
    window_form="window_var",
    example="rolling_var(mid, 20)",
)


@op.definition
def definition(x, window):
    last = x[-window:]
    if any_missing(last):
        return math.nan
    return math.fsum(gap * gap for gap in centred(last)) / (window - 1)


@op.polars
def polars(x, window):
    import polars as pl

    _, square = window_moments(x, window)
    quiet = x.rolling_max(window) == x.rolling_min(window)
    found = pl.when(quiet).then(0.0).otherwise(square / (window - 1))
    return whole(finite_or_null(found), window, x)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_squares(x, lo, hi, int(params[0]), 0, VARIANCE, out, state, ints)
