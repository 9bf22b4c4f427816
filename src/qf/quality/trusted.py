"""trusted(x, quality): the value where no nulling bit stands, else missing.

    y[t] = x[t] where quality[t] has none of unsynced, gap, resyncing, stale, crossed, warmup

Null rule: null in, null out. Unit: the unit of x.
Source: definition.
"""

import math

from qf.op import define
from qf.schema import NULL_ON

op = define("trusted(x, quality: int)", example="trusted(price, quality)")
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(x, quality):
    return math.nan if quality[-1] & NULL_ON else x[-1]


@op.kernel
def kernel(x, quality, lo, hi, out):
    for t in range(lo, hi):
        out[t] = math.nan if quality[t] & NULL_ON != 0 else x[t]
