"""rolling_r2(x, window): share of a window's variance that a straight line explains.

    r2[t] = corr(x[i], i)^2,  i = t-window+1 .. t

1 is a perfect trend, up or down; a time as window asks for `window_r2`, against time. Null until
`window` rows exist, while a row in the window is null, and where all are equal. Unit: none. A row
costs a window.
Source: Pearson (1896), Phil. Trans. R. Soc. A 187, 253-318.
"""

from qf.missing import finite_or_null
from qf.op import MOMENT, define
from qf.trends import R2, line_of, slide_line
from qf.windows import per_window, whole

op = define(
    "rolling_r2(x, window: 3..10000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="1",
    window_form="window_r2",
    example="rolling_r2(mid, 50)",
)


@op.definition
def definition(x, window):
    return line_of(x[-window:], R2)


@op.polars
def polars(x, window):
    import polars as pl

    moving = x.rolling_min(window) < x.rolling_max(window)
    found = per_window(pl.corr(x - x.last(), pl.int_range(pl.len()).cast(float)), window)
    share = finite_or_null(found * found).clip(0.0, 1.0)
    return pl.when(moving).then(whole(share, window, x))


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    slide_line(x, lo, hi, int(params[0]), R2, out, ints)
