"""std(x, first_row, close_row): the sample standard deviation of the bar's values.

    y = sqrt(sum of (x − mean)² / (n − 1)) over x[first_row..close_row]

Nulls are skipped; null where the bar has fewer than two values; exactly 0 where they are equal.
Updated as in Welford (1962), Technometrics 4(3). Unit: the unit of x.
Source: definition.
"""

import math

from qf.missing import members
from qf.op import MOMENT, define

op = define(
    "std(x, first_row: int, close_row: int)",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 0,
    slots=lambda: 3,
    ints=lambda: 2,
    tolerance=MOMENT,
    example="std(x, first_row, close_row)",
)


@op.definition
def definition(x, first_row, close_row):
    values = members(x, first_row, close_row)
    if len(values) < 2:
        return math.nan
    mean = math.fsum(values) / len(values)
    squares = math.fsum((v - mean) ** 2 for v in values)
    return math.sqrt(squares / (len(values) - 1)) if len(set(values)) > 1 else 0.0


@op.polars
def polars(x):
    import polars as pl

    is_flat = (x.min() == x.max()) & (x.count() > 1)  # a residue there would explode z-scores
    return pl.when(is_flat).then(0.0).otherwise(x.std(ddof=1))


@op.kernel
def kernel(x, first_row, close_row, lo, hi, row, olo, ohi, out, state, ints):
    mean, squares, held = state[0], state[1], state[2]
    count, closed = ints[0], ints[1]
    t = lo
    for o in range(olo, ohi):
        end = close_row[o] - row + lo
        while t <= end:
            if x[t] == x[t]:
                count += 1
                off = x[t] - mean
                mean += off / count
                squares += off * (x[t] - mean)
            t += 1
        # A divided trade is in both of its bars.
        if first_row[o] + 1 == closed and held == held:
            count += 1
            off = held - mean
            mean += off / count
            squares += off * (held - mean)
        out[o] = math.sqrt(squares / (count - 1)) if count > 1 else math.nan
        count = 0
        mean = 0.0
        squares = 0.0
        held = x[end]
        closed = close_row[o] + 1
    while t < hi:
        if x[t] == x[t]:
            count += 1
            off = x[t] - mean
            mean += off / count
            squares += off * (x[t] - mean)
        t += 1
    state[0], state[1], state[2] = mean, squares, held
    ints[0], ints[1] = count, closed
