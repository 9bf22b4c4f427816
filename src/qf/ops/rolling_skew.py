"""rolling_skew(x, window): how lopsided the last `window` values are.

    G1[t] = sqrt(n (n-1)) / (n-2) * (m3 / m2^1.5),  n = window, mk = mean of (x - mean)^k

Null until `window` rows exist, while a row in the window is null, and where all are equal.
Unit: none. A row costs a window.
Source: Joanes, Gill (1998), The Statistician 47(1), 183-189 (G1, the adjusted form).
"""

from qf.missing import finite_or_null
from qf.op import MOMENT, define
from qf.shapes import SKEW, shape_of, slide_shape
from qf.windows import per_window, whole

op = define(
    "rolling_skew(x, window: 3..10000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="1",
    window_form="window_skew",
    example="rolling_skew(log_return(price), 100)",
)


@op.definition
def definition(x, window):
    return shape_of(x[-window:], SKEW)


@op.polars
def polars(x, window):
    import polars as pl

    moving = x.rolling_min(window) < x.rolling_max(window)
    found = per_window((x - x.last()).skew(bias=False), window)
    return pl.when(moving).then(whole(finite_or_null(found), window, x))


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    slide_shape(x, lo, hi, int(params[0]), SKEW, out, ints)
