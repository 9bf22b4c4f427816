"""window_zscore(x, window, max_rows): how many deviations the value is from its window's mean.

    z[t] = (x[t] - mean) / s,
    mean and sample deviation s of the rows i <= t with time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null, and with one row; 0 where s is 0. The value is inside its window.
Unit: none.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing
from qf.moments import ZSCORE, centred
from qf.op import MOMENT, define
from qf.ring import FIRST
from qf.ring_moments import slide_squares_in_time
from qf.time_windows import inside

op = define(
    "window_zscore(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 1,
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=MOMENT,
    unit="1",
    example='window_zscore(mid, "5s")',
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
    gaps = centred(last)
    spread = math.fsum(gap * gap for gap in gaps) / (rows - 1)
    return gaps[-1] / math.sqrt(spread) if spread > 0.0 else 0.0, full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_squares_in_time(x, time, lo, hi, row, ZSCORE, out, window_full, params, state, ints)
