"""rolling_slope(x, window): change per row of the straight line through the last `window` rows.

    b[t] = sum((k - k') x[t-window+1+k]) / sum((k - k')^2),  k = 0 .. window-1, k' their mean

The least-squares line against the row number; a time as window asks for `window_slope`, per second.
Null until `window` rows exist and while a row in the window is null; 0 where all are equal. Unit:
the unit of x, per row. A row costs a window.
Source: Gauss (1809), Theoria motus (least squares).
"""

from qf.missing import finite_or_null
from qf.op import MOMENT, define
from qf.trends import SLOPE, line_of, slide_line
from qf.windows import per_window, whole

op = define(
    "rolling_slope(x, window: 2..10000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="x",
    window_form="window_slope",
    example="rolling_slope(mid, 50)",
)


@op.definition
def definition(x, window):
    return line_of(x[-window:], SLOPE)


@op.polars
def polars(x, window):
    import polars as pl

    row = pl.int_range(pl.len()) - (window - 1) / 2
    product = per_window(((x - x.last()) * row).sum(), window)
    return whole(finite_or_null(product / (window * (window * window - 1.0) / 12.0)), window, x)


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    slide_line(x, lo, hi, int(params[0]), SLOPE, out, ints)
