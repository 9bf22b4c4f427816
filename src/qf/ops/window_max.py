"""window_max(x, window, max_rows): the largest value in the last `window` of time.

    m[t] = max of x[i] over i <= t with time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null. Unit: the unit of x.
Source: Lemire (2006), Nordic J. Computing 13(4), 328-339 (the monotonic queue).
"""

import math

from qf.extremes import LARGEST
from qf.missing import any_missing
from qf.op import define
from qf.ring import FIRST, slide_extreme_in_time
from qf.time_windows import extreme_between, first_row, inside, whole_window
from qf.time_windows import window_full as more_than

op = define(
    "window_max(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: 2 * max_rows + FIRST,
    unit="x",
    example='window_max(price, "5s")',
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    return math.nan if any_missing(x[-rows:]) else max(x[-rows:]), full


@op.polars
def polars(x, time, window, max_rows):
    first = first_row(time, window, max_rows)
    found = extreme_between(x, first, max_rows, largest=True)
    return whole_window(found, x, first), more_than(time, window, max_rows)


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_extreme_in_time(x, time, lo, hi, row, LARGEST, out, window_full, params, state, ints)
