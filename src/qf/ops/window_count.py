"""window_count(x, window, max_rows): how many rows in the last `window` of time have a value.

    n[t] = count of i <= t with time[i] > time[t] - window and x[i] not null

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Never null. Unit: none (rows).
Source: definition.
"""

from qf.op import define
from qf.ring import FIRST, drop_oldest, enter, is_short, leaves
from qf.time_windows import first_row, inside, window_full

op = define(
    "window_count(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    unit="1",
    example='window_count(price, "5s")',
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    return float(sum(value == value for value in x[-rows:])), full


@op.polars
def polars(x, time, window, max_rows):
    first = first_row(time, window, max_rows)
    known = x.is_not_null().cast(int)
    before = known.cum_sum() - known
    return (known.cum_sum() - before.gather(first)).cast(float), window_full(time, window, max_rows)


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    window, room = int(params[0]), int(params[1])
    for t in range(lo, hi):
        at = row + t - lo
        start = time[t] - window
        while leaves(ints, room, at, start):
            drop_oldest(state, ints, room, start)
        enter(state, ints, room, x[t], time[t])
        out[t] = float(at - ints[0] + 1 - ints[1])
        window_full[t] = is_short(ints, start)
