"""sum(x, first_row, close_row): the sum of the bar's values.

    y = sum of x[first_row..close_row]

Nulls are skipped; null where the bar has no value. Compensated
(Neumaier 1974, Zeitschrift für Angewandte Mathematik und Mechanik 54), so that flows that cancel
keep their digits. Unit: the unit of x.
Source: definition.
"""

import math

from qf.missing import members
from qf.op import SUM, define

op = define(
    "sum(x, first_row: int, close_row: int)",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 0,
    slots=lambda: 3,
    ints=lambda: 2,
    tolerance=SUM,
    example="sum(x, first_row, close_row)",
)


@op.definition
def definition(x, first_row, close_row):
    values = members(x, first_row, close_row)
    return math.fsum(values) if values else math.nan


@op.polars
def polars(x):
    import polars as pl

    return pl.when(x.count() > 0).then(x.sum())


def rounding(total, more):
    """Return what the sum of two floats loses by rounding."""
    after = total + more
    return (total - after) + more if abs(total) >= abs(more) else (more - after) + total


@op.kernel
def kernel(x, first_row, close_row, lo, hi, row, olo, ohi, out, state, ints):
    total, lost, held = state[0], state[1], state[2]
    count, closed = ints[0], ints[1]
    t = lo
    for o in range(olo, ohi):
        end = close_row[o] - row + lo
        while t <= end:
            if x[t] == x[t]:
                lost += rounding(total, x[t])
                total += x[t]
                count += 1
            t += 1
        # A divided trade is in both of its bars.
        if first_row[o] + 1 == closed and held == held:
            lost += rounding(total, held)
            total += held
            count += 1
        out[o] = total + lost if count > 0 else math.nan
        count = 0
        total = 0.0
        lost = 0.0
        held = x[end]
        closed = close_row[o] + 1
    while t < hi:
        if x[t] == x[t]:
            lost += rounding(total, x[t])
            total += x[t]
            count += 1
        t += 1
    state[0], state[1], state[2] = total, lost, held
    ints[0], ints[1] = count, closed
