"""window_last(x, window, max_rows): the newest value in the last `window` of time.

    y[t] = x[i], i = the largest i <= t with x[i] not null and time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null where no row inside has a value. Unit: the unit of x.
Source: definition.
"""

import math

from qf.op import define
from qf.ring import FIRST, drop_oldest, enter, is_short, leaves
from qf.time_windows import first_row, inside, window_full

op = define(
    "window_last(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    unit="x",
    example='window_last(mid, "5s")',
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    known = [value for value in x[-rows:] if value == value]
    return known[-1] if known else math.nan, full


@op.polars
def polars(x, time, window, max_rows):
    import polars as pl

    row = pl.int_range(pl.len())
    newest = pl.when(x.is_not_null()).then(row).forward_fill()
    found = pl.when(newest >= first_row(time, window, max_rows)).then(x.forward_fill())
    return found, window_full(time, window, max_rows)


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    window, room = int(params[0]), int(params[1])
    newest = state[0]
    newest_row = ints[6] - 1  # kept one higher, so that a fresh state says "never"
    for t in range(lo, hi):
        at = row + t - lo
        start = time[t] - window
        while leaves(ints, room, at, start):
            drop_oldest(state, ints, room, start)
        enter(state, ints, room, x[t], time[t])
        if x[t] == x[t]:
            newest, newest_row = x[t], at
        out[t] = newest if newest_row >= ints[0] else math.nan
        window_full[t] = is_short(ints, start)
    state[0] = newest
    ints[6] = newest_row + 1
