"""window_quantile(x, window, q, max_rows): the value a share q of a time lies below.

    h = (n - 1) q;  v[t] = s[floor h] + (h - floor h) (s[floor h + 1] - s[floor h])

s: the n rows i <= t with time[i] > time[t] - window in ascending order, from 0.
q = 0.5 is the median.

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null. Unit: the unit of x.
The state holds the window in sorted order too.
Source: Hyndman, Fan (1996), The American Statistician 50(4), 361-365 (type 7).
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define
from qf.ring import FIRST
from qf.ring_sorted import slide_sorted_in_time
from qf.time_windows import inside

op = define(
    "window_quantile(x, time: time, window: 1ms..7d, q: 0.0..1.0, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, q, max_rows: max_rows,
    slots=lambda window, q, max_rows: 2 * max_rows + FIRST + 1,
    ints=lambda window, q, max_rows: max_rows + FIRST,
    tolerance=SUM,
    unit="x",
    example='window_quantile(size, "5s", 0.9)',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, q, max_rows):
    rows, full = inside(time, window, max_rows)
    if any_missing(x[-rows:]):
        return math.nan, full
    last, place = sorted(x[-rows:]), (rows - 1) * q
    below, above = last[math.floor(place)], last[math.ceil(place)]
    return below + (place - math.floor(place)) * (above - below), full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    window, q, room = int(params[0]), params[1], int(params[2])
    slide_sorted_in_time(x, time, lo, hi, row, window, room, q, out, window_full, state, ints)
