"""window_count_if(condition, window, max_rows): in how many rows of a time the condition held.

    n[t] = count of i <= t with time[i] > time[t] - window and condition[i] true

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while the condition is null in a row inside. Unit: none (rows).
Source: definition.
"""

import math

from qf.missing import any_missing
from qf.op import define
from qf.ring import FIRST, drop_oldest, enter, is_short, leaves
from qf.time_windows import first_row, inside, whole_window
from qf.time_windows import window_full as more_than

op = define(
    "window_count_if(condition, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    unit="1",
    example='window_count_if(direction > 0, "5s")',
)


@op.definition
def definition(condition, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    last = condition[-rows:]
    return math.nan if any_missing(last) else float(sum(value != 0.0 for value in last)), full


@op.polars
def polars(condition, time, window, max_rows):
    first = first_row(time, window, max_rows)
    held = (condition != 0.0).fill_null(False).cast(int)
    before = held.cum_sum() - held
    found = (held.cum_sum() - before.gather(first)).cast(float)
    return whole_window(found, condition, first), more_than(time, window, max_rows)


@op.kernel
def kernel(condition, time, lo, hi, row, out, window_full, params, state, ints):
    window, room = int(params[0]), int(params[1])
    held = ints[6]
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            old = drop_oldest(state, ints, room, start)
            held -= 1 if old == old and old != 0.0 else 0
        value = condition[t]
        enter(state, ints, room, value, time[t])
        held += 1 if value == value and value != 0.0 else 0
        out[t] = float(held) if ints[1] == 0 else math.nan
        window_full[t] = is_short(ints, start)
    ints[6] = held
