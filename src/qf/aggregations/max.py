"""max(x, first_row, close_row): the bar's largest value.

    y = max of x[first_row..close_row]

Nulls are skipped; null where the bar has no value. Unit: the unit of x.
Source: definition.
"""

import math

from qf.extremes import LARGEST, fold_extreme
from qf.missing import members
from qf.op import define

op = define(
    "max(x, first_row: int, close_row: int)",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 0,
    slots=lambda: 2,
    ints=lambda: 2,
    example="max(x, first_row, close_row)",
)


@op.definition
def definition(x, first_row, close_row):
    values = members(x, first_row, close_row)
    return max(values) if values else math.nan


@op.polars
def polars(x):
    return x.max()


@op.kernel
def kernel(x, first_row, close_row, lo, hi, row, olo, ohi, out, state, ints):
    fold_extreme(x, first_row, close_row, lo, hi, row, olo, ohi, LARGEST, out, state, ints)
