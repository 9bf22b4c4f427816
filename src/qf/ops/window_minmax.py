"""window_minmax(x, window, max_rows): where the value lies between the extremes of a time.

    y[t] = (x[t] - low) / (high - low),  low and high over time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null, and where high = low. Unit: none.
Source: Lemire (2006), Nordic J. Computing 13(4), 328-339 (the monotonic queues).
"""

import math

from qf.extremes import LARGEST, SMALLEST
from qf.missing import any_missing, finite, finite_or_null
from qf.op import define
from qf.ring import FIRST, drop_oldest, enter, is_short, leaves
from qf.ring_queue import oldest_leaves, queue_in
from qf.time_windows import extreme_between, first_row, inside, whole_window
from qf.time_windows import window_full as more_than

op = define(
    "window_minmax(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 1,
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: 3 * max_rows + FIRST + 4,
    unit="1",
    example='window_minmax(price, "5s")',
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    last = x[-rows:]
    if any_missing(last) or min(last) == max(last):
        return math.nan, full
    return (x[-1] - min(last)) / (max(last) - min(last)), full


@op.polars
def polars(x, time, window, max_rows):
    first = first_row(time, window, max_rows)
    low = extreme_between(x, first, max_rows, largest=False)
    high = extreme_between(x, first, max_rows, largest=True)
    found = finite_or_null((x - low) / (high - low))
    return whole_window(found, x, first), more_than(time, window, max_rows)


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    window, room = int(params[0]), int(params[1])
    lows, highs = FIRST + room, FIRST + 2 * room + 2
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            oldest_leaves(ints, lows, room)
            oldest_leaves(ints, highs, room)
            drop_oldest(state, ints, room, start)
        place = enter(state, ints, room, x[t], time[t])
        if x[t] == x[t]:
            queue_in(state, ints, lows, room, place, SMALLEST)
            queue_in(state, ints, highs, room, place, LARGEST)
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        if ints[1] == 0:
            low = state[FIRST + ints[lows + 2 + ints[lows]]]
            high = state[FIRST + ints[highs + 2 + ints[highs]]]
            out[t] = finite((x[t] - low) / (high - low)) if high > low else math.nan
