"""rolling_cov(x, y, window): sample covariance of the last `window` rows.

    c[t] = sum( (x[i] - mean x) (y[i] - mean y) ) / (window - 1),  i = t-window+1 .. t

Null until `window` rows exist, and while a row in the window is null in either.
Unit: the product of the units.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing, finite_or_null
from qf.moments import COVARIANCE, centred, slide_products
from qf.op import MOMENT, define
from qf.windows import per_window, whole

op = define(
    "rolling_cov(x, y, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 9,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="x*y",
    window_form="window_cov",
    example="rolling_cov(bid_depth, ask_depth, 50)",
)


@op.definition
def definition(x, y, window):
    one, other = x[-window:], y[-window:]
    if any_missing(one, other):
        return math.nan
    pairs = zip(centred(one), centred(other), strict=True)
    return math.fsum(a * b for a, b in pairs) / (window - 1)


@op.polars
def polars(x, y, window):
    import polars as pl

    return whole(
        finite_or_null(per_window(pl.cov(x - x.last(), y - y.last()), window)), window, x, y
    )


@op.kernel
def kernel(x, y, lo, hi, out, params, state, ints):
    slide_products(x, y, 0, lo, hi, int(params[0]), COVARIANCE, out, state, ints)
