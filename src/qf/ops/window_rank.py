"""window_rank(x, window, max_rows): the value's mid-rank in the last `window` of time, in (0, 1).

    r[t] = ( count(x[i] below x[t]) + count(x[i] tied with x[t]) / 2 ) / n

over the n rows i <= t with time[i] > time[t] - window, the row itself among the ties; values within
1e-9 of each other, relative to x[t], are ties (see `rolling_rank`).

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null. Unit: none. A row costs a window.
Source: Conover (1999), Practical Nonparametric Statistics, 3rd ed., 5.1 (average ranks).
"""

import math

from qf.op import define
from qf.ranks import TIE, mid_rank
from qf.ring import FIRST, drop_oldest, enter, is_short, leaves
from qf.time_windows import inside

op = define(
    "window_rank(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    unit="1",
    example='window_rank(spread_ticks, "1m")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    return mid_rank(x[-rows:]), full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    window, room = int(params[0]), int(params[1])
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            drop_oldest(state, ints, room, start)
        enter(state, ints, room, x[t], time[t])
        window_full[t] = is_short(ints, start)
        rows = row + t - lo - ints[0] + 1
        low, high = x[t] - TIE * abs(x[t]), x[t] + TIE * abs(x[t])
        end = ints[4] + rows
        halves = 0
        for i in range(FIRST + ints[4], FIRST + min(end, room)):
            halves += (1 if state[i] < low else 0) + (1 if state[i] <= high else 0)
        for i in range(FIRST, FIRST + end - room):  # what lies before the ring's end
            halves += (1 if state[i] < low else 0) + (1 if state[i] <= high else 0)
        out[t] = halves * 0.5 / rows if ints[1] == 0 else math.nan
