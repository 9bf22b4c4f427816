"""float_of(x): an integer column as numbers a formula can work with.

    out[t] = x[t]

Null where x is. Exact up to 2^53 in size; times and ids do not belong in a float column.
Unit: the unit of x.
Source: definition.
"""

import math

from qf.op import define
from qf.schema import NULL_INT

op = define("float_of(x: int)", unit="x", example="float_of(direction)")


@op.definition
def definition(x):
    return math.nan if x[-1] == NULL_INT else float(x[-1])


@op.polars
def polars(x):
    return x.cast(float)


@op.kernel
def kernel(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = float(x[t]) if x[t] != NULL_INT else math.nan
