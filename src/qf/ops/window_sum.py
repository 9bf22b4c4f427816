"""window_sum(x, window, max_rows): sum over the last `window` of time.

    s[t] = sum of x[i] over i <= t with time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null. Unit: the unit of x.
Source: Neumaier (1974), Z. Angew. Math. Mech. 54(1), 39-51.
"""

import math

from qf.missing import finite_or_null
from qf.op import SUM, define
from qf.ring import FIRST, slide_sum_in_time
from qf.time_windows import first_row, inside, sum_between, whole_window
from qf.time_windows import window_full as more_than

op = define(
    "window_sum(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=SUM,
    unit="x",
    example='window_sum(size, "5s")',
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    return math.fsum(x[-rows:]), full


@op.polars
def polars(x, time, window, max_rows):
    first = first_row(time, window, max_rows)
    found = sum_between(x, first)
    return whole_window(finite_or_null(found), x, first), more_than(time, window, max_rows)


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_sum_in_time(x, time, lo, hi, row, False, out, window_full, params, state, ints)
