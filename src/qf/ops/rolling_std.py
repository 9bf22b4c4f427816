"""rolling_std(x, window): sample standard deviation of the last `window` rows.

    s[t] = sqrt( sum((x[i] - mean)^2) / (window - 1) ),  i = t-window+1 .. t

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
A window of equal values has exactly 0.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing, finite_or_null
from qf.moments import DEVIATION, centred, slide_squares
from qf.op import MOMENT, define
from qf.windows import whole, window_moments

op = define(
    "rolling_std(x, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 4,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="x",
    window_form="window_std",
    example="rolling_std(mid, 20)",
)


@op.definition
def definition(x, window):
    last = x[-window:]
    if any_missing(last):
        return math.nan
    return math.sqrt(math.fsum(gap * gap for gap in centred(last)) / (window - 1))


@op.polars
def polars(x, window):
    import polars as pl

    _, square = window_moments(x, window)
    quiet = x.rolling_max(window) == x.rolling_min(window)
    found = pl.when(quiet).then(0.0).otherwise((square / (window - 1)).sqrt())
    return whole(finite_or_null(found), window, x)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_squares(x, lo, hi, int(params[0]), 0, DEVIATION, out, state, ints)
