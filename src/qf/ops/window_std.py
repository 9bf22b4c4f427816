"""window_std(x, window, max_rows): sample standard deviation over the last `window` of time.

    s[t] = sqrt( sum((x[i] - mean)^2) / (n - 1) ),
    over the n rows i <= t with time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null, and with one row. A window of equal values has exactly 0.
Unit: the unit of x.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing
from qf.moments import DEVIATION, centred
from qf.op import MOMENT, define
from qf.ring import FIRST
from qf.ring_moments import slide_squares_in_time
from qf.time_windows import inside

op = define(
    "window_std(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 1,
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=MOMENT,
    unit="x",
    example='window_std(mid, "5s")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    last = x[-rows:]
    if any_missing(last) or rows < 2:
        return math.nan, full
    return math.sqrt(math.fsum(gap * gap for gap in centred(last)) / (rows - 1)), full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_squares_in_time(x, time, lo, hi, row, DEVIATION, out, window_full, params, state, ints)
