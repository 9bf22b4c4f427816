"""mean(x, first_row, close_row): the mean of the bar's values.

    y = sum of x[first_row..close_row] / number of them

Nulls are skipped; null where the bar has no value. Summed as
differences from the first value, so that equal values have exactly that mean. Unit: the unit of x.
Source: definition.
"""

import math

from qf.missing import members
from qf.op import SUM, define

op = define(
    "mean(x, first_row: int, close_row: int)",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 0,
    slots=lambda: 3,
    ints=lambda: 2,
    tolerance=SUM,
    example="mean(x, first_row, close_row)",
)


@op.definition
def definition(x, first_row, close_row):
    values = members(x, first_row, close_row)
    return math.fsum(values) / len(values) if values else math.nan


@op.polars
def polars(x):
    return x.mean()


@op.kernel
def kernel(x, first_row, close_row, lo, hi, row, olo, ohi, out, state, ints):
    origin, total, held = state[0], state[1], state[2]
    count, closed = ints[0], ints[1]
    t = lo
    for o in range(olo, ohi):
        end = close_row[o] - row + lo
        while t <= end:
            if x[t] == x[t]:
                origin = x[t] if count == 0 else origin
                total += x[t] - origin
                count += 1
            t += 1
        # A divided trade is in both of its bars.
        if first_row[o] + 1 == closed and held == held:
            origin = held if count == 0 else origin
            total += held - origin
            count += 1
        out[o] = origin + total / count if count > 0 else math.nan
        count = 0
        total = 0.0
        held = x[end]
        closed = close_row[o] + 1
    while t < hi:
        if x[t] == x[t]:
            origin = x[t] if count == 0 else origin
            total += x[t] - origin
            count += 1
        t += 1
    state[0], state[1], state[2] = origin, total, held
    ints[0], ints[1] = count, closed
