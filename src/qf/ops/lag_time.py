"""lag_time(x, age, window, max_rows): the value that was the newest one `age` of time ago.

    value[t] = x[i],  i = the largest i with time[i] <= time[t] - age, if time[i] > time[t] - window
    rows[t] = t - i, 0 where there is no such row

`window` is the oldest a value may be: on a quiet market the newest row of then may itself be old.
Times are processed_time in tape order. More than `max_rows` rows in the window: the oldest leave,
window_full is 1. value is null where no row is old enough or none of those young enough, and where
x[i] is; rows never. Unit: value has that of x, rows none.
Source: definition.
"""

import math

from qf.op import define
from qf.ring import FIRST, drop_oldest, enter, is_short, leaves
from qf.time_windows import first_row, inside, window_full

op = define(
    "lag_time(x, time: time, age: 1ms..7d, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> value, rows, window_full: int",
    memory=lambda age, window, max_rows: max_rows,
    slots=lambda age, window, max_rows: max_rows + FIRST,
    ints=lambda age, window, max_rows: max_rows + FIRST,
    unit="x, 1",
    example='lag_time.value(mid, "5s", "10s")',
)


@op.definition
def definition(x, time, age, window, max_rows):
    rows, full = inside(time, window, max_rows)
    aged = [i for i in range(len(x) - rows, len(x)) if time[i] <= time[-1] - age]
    if not aged:
        return math.nan, 0.0, full
    return x[aged[-1]], float(len(x) - 1 - aged[-1]), full


@op.polars
def polars(x, time, age, window, max_rows):
    import polars as pl

    place = time.search_sorted(time - age, side="right").cast(pl.Int64) - 1
    found = x.gather(pl.max_horizontal(place, pl.lit(0)))
    young = place >= first_row(time, window, max_rows)
    rows = pl.when(young).then(pl.int_range(pl.len()) - place).otherwise(0)
    value = pl.when(young).then(found)
    return value, rows.cast(float), window_full(time, window, max_rows)


@op.kernel
def kernel(x, time, lo, hi, row, value, rows, window_full, params, state, ints):
    age, window, room = int(params[0]), int(params[1]), int(params[2])
    aged, place = ints[6], ints[7]  # the oldest row that is not old enough yet, its place
    for t in range(lo, hi):
        at = row + t - lo
        start = time[t] - window
        while leaves(ints, room, at, start):
            drop_oldest(state, ints, room, start)
        if aged < ints[0]:
            aged, place = ints[0], ints[4]
        enter(state, ints, room, x[t], time[t])
        while aged < at and ints[FIRST + place] <= time[t] - age:
            aged += 1
            place = place + 1 if place + 1 < room else 0
        value[t], rows[t] = math.nan, 0.0
        if aged > ints[0]:
            rows[t] = float(at - aged + 1)
            value[t] = state[FIRST + (place - 1 if place > 0 else room - 1)]
        window_full[t] = is_short(ints, start)
    ints[6], ints[7] = aged, place
