"""window_median(x, window, max_rows): the middle value of the last `window` of time.

    m[t] = the middle of sorted(x[i]), the mean of the two middles if even,
    over the rows i <= t with time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null. Unit: the unit of x.
The state holds the window in sorted order too.
Source: definition.
"""

import math
import statistics

from qf.missing import any_missing
from qf.op import SUM, define
from qf.ring import FIRST
from qf.ring_sorted import slide_sorted_in_time
from qf.time_windows import inside

op = define(
    "window_median(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: 2 * max_rows + FIRST + 1,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=SUM,
    unit="x",
    example='window_median(size, "5s")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    last = x[-rows:]
    return math.nan if any_missing(last) else statistics.median(last), full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    window, room = int(params[0]), int(params[1])
    slide_sorted_in_time(x, time, lo, hi, row, window, room, 0.5, out, window_full, state, ints)
