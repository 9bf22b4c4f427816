"""rolling_kurt(x, window): how heavy the tails of the last `window` values are (normal: 0).

    G2[t] = (n-1) / ((n-2) (n-3)) * ((n+1) g2 + 6),  g2 = m4 / m2^2 - 3

n = window, mk = mean of (x - mean)^k: excess kurtosis, unbiased for normal values.
Null until `window` rows exist, while a row in the window is null, and where all are equal.
Unit: none. A row costs a window.
Source: Joanes, Gill (1998), The Statistician 47(1), 183-189 (G2, the adjusted form).
"""

from qf.missing import finite_or_null
from qf.op import MOMENT, define
from qf.shapes import KURT, shape_of, slide_shape
from qf.windows import per_window, whole

op = define(
    "rolling_kurt(x, window: 4..10000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="1",
    window_form="window_kurt",
    example="rolling_kurt(log_return(price), 100)",
)


@op.definition
def definition(x, window):
    return shape_of(x[-window:], KURT)


@op.polars
def polars(x, window):
    import polars as pl

    moving = x.rolling_min(window) < x.rolling_max(window)
    plain = per_window((x - x.last()).kurtosis(fisher=True, bias=True), window)
    found = ((window + 1.0) * plain + 6.0) * ((window - 1.0) / ((window - 2.0) * (window - 3.0)))
    return pl.when(moving).then(whole(finite_or_null(found), window, x))


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    slide_shape(x, lo, hi, int(params[0]), KURT, out, ints)
