"""window_cov(x, y, window, max_rows): sample covariance over the last `window` of time.

    c[t] = sum( (x[i] - mean x) (y[i] - mean y) ) / (n - 1),
    over the n rows i <= t with time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null in either, and with one row. Unit: the product of the units.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing
from qf.moments import COVARIANCE, centred
from qf.op import MOMENT, define
from qf.ring import FIRST
from qf.ring_moments import PAIR_WORDS, slide_products_in_time
from qf.time_windows import inside

op = define(
    "window_cov(x, y, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 1,
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: 2 * max_rows + FIRST + PAIR_WORDS,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=MOMENT,
    unit="x*y",
    example='window_cov(bid_depth, ask_depth, "5s")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, y, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    one, other = x[-rows:], y[-rows:]
    if any_missing(one, other) or rows < 2:
        return math.nan, full
    pairs = zip(centred(one), centred(other), strict=True)
    return math.fsum(a * b for a, b in pairs) / (rows - 1), full


@op.kernel
def kernel(x, y, time, lo, hi, row, out, window_full, params, state, ints):
    slide_products_in_time(
        x, y, time, lo, hi, row, COVARIANCE, out, window_full, params, state, ints
    )
