"""min(x, first_row, close_row): the bar's smallest value.

    y = min of x[first_row..close_row]

Nulls are skipped; null where the bar has no value. Unit: the unit of x.
Source: definition.
"""

import math

from qf.extremes import SMALLEST, fold_extreme
from qf.missing import members
from qf.op import define

op = define(
    "min(x, first_row: int, close_row: int)",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 0,
    slots=lambda: 2,
    ints=lambda: 2,
    example="min(x, first_row, close_row)",
)


@op.definition
def definition(x, first_row, close_row):
    values = members(x, first_row, close_row)
    return min(values) if values else math.nan


@op.polars
def polars(x):
    return x.min()


@op.kernel
def kernel(x, first_row, close_row, lo, hi, row, olo, ohi, out, state, ints):
    fold_extreme(x, first_row, close_row, lo, hi, row, olo, ohi, SMALLEST, out, state, ints)
