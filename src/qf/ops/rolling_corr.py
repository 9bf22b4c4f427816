"""rolling_corr(x, y, window): Pearson correlation of the last `window` rows.

    r[t] = cov(x, y) / ( s(x) s(y) ),  over rows t-window+1 .. t

Null until `window` rows exist, while a row in the window is null in either, and where either is
constant. Unit: none.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

from qf.missing import finite_or_null
from qf.moments import CORRELATION, correlation_of, slide_products
from qf.op import MOMENT, define
from qf.windows import per_window, whole

op = define(
    "rolling_corr(x, y, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 9,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="1",
    window_form="window_corr",
    example="rolling_corr(bid_depth, ask_depth, 50)",
)


@op.definition
def definition(x, y, window):
    return correlation_of(x[-window:], y[-window:])


@op.polars
def polars(x, y, window):
    import polars as pl

    moving = (x.rolling_min(window) < x.rolling_max(window)) & (
        y.rolling_min(window) < y.rolling_max(window)
    )
    found = finite_or_null(per_window(pl.corr(x - x.last(), y - y.last()), window)).clip(-1.0, 1.0)
    return pl.when(moving).then(whole(found, window, x, y))


@op.kernel
def kernel(x, y, lo, hi, out, params, state, ints):
    slide_products(x, y, 0, lo, hi, int(params[0]), CORRELATION, out, state, ints)
