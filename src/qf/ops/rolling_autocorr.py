"""rolling_autocorr(x, window, lag): correlation of the last `window` rows with those `lag` earlier.

    r[t] = corr( x[t-window+1 .. t], x[t-lag-window+1 .. t-lag] )   (Pearson)

Null until window + lag rows exist, while a row in either stretch is null, and where either is
constant. Unit: none.
Source: Box, Jenkins (1970), Time Series Analysis, 2.1 (here with both stretches' own means).
"""

from qf.missing import finite_or_null
from qf.moments import CORRELATION, correlation_of, slide_products
from qf.op import MOMENT, define
from qf.windows import per_window, whole

op = define(
    "rolling_autocorr(x, window: 2..50000, lag: 1..10000 = 1)",
    warmup=lambda window, lag: window + lag - 1,
    lookback=lambda window, lag: window + lag,
    slots=lambda window, lag: 9,
    ints=lambda window, lag: 2,
    tolerance=MOMENT,
    unit="1",
    window_form="window_autocorr",
    example="rolling_autocorr(mid, 50, 5)",
)


@op.definition
def definition(x, window, lag):
    return correlation_of(x[-window:], x[-lag - window : -lag])


@op.polars
def polars(x, window, lag):
    import polars as pl

    moving = x.rolling_min(window) < x.rolling_max(window)
    moving = moving & moving.shift(lag)
    near, far = x.tail(window), x.head(window)
    found = per_window(pl.corr(near - near.last(), far - far.last()), window + lag)
    # stretches that do not touch leave rows between them, which may be null
    found = whole(finite_or_null(found).clip(-1.0, 1.0), window, x, x.shift(lag))
    return pl.when(moving).then(found)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    window, lag = int(params[0]), int(params[1])
    slide_products(x, x, lag, lo, hi, window, CORRELATION, out, state, ints)
