"""first(x, first_row, close_row): the bar's first value.

    y = the earliest value of x in first_row..close_row that is not null

Nulls are skipped; null where the bar has no value. Unit: the unit of x.
Source: definition.
"""

import math

from qf.missing import members
from qf.op import define

op = define(
    "first(x, first_row: int, close_row: int)",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 0,
    slots=lambda: 2,
    ints=lambda: 2,
    example="first(x, first_row, close_row)",
)


@op.definition
def definition(x, first_row, close_row):
    values = members(x, first_row, close_row)
    return values[0] if values else math.nan


@op.polars
def polars(x):
    return x.drop_nulls().first()


@op.kernel
def kernel(x, first_row, close_row, lo, hi, row, olo, ohi, out, state, ints):
    earliest, held = state[0], state[1]
    count, closed = ints[0], ints[1]
    t = lo
    for o in range(olo, ohi):
        end = close_row[o] - row + lo
        while t <= end:
            if count == 0 and x[t] == x[t]:
                earliest = x[t]
                count = 1
            t += 1
        # A divided trade is in both of its bars.
        if first_row[o] + 1 == closed and held == held:
            earliest = held
            count = 1
        out[o] = earliest if count > 0 else math.nan
        count = 0
        held = x[end]
        closed = close_row[o] + 1
    while t < hi:
        if count == 0 and x[t] == x[t]:
            earliest = x[t]
            count = 1
        t += 1
    state[0], state[1] = earliest, held
    ints[0], ints[1] = count, closed
