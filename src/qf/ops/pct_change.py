"""pct_change(x, rows): the relative change over `rows` rows, as a fraction.

    y[t] = x[t] / x[t - rows] - 1

Null for the first `rows` rows, where either value is null, and where the earlier value is 0.
Unit: none.
Source: definition.
"""

import math

from qf.missing import finite, finite_or_null
from qf.op import define

op = define(
    "pct_change(x, rows: 1..100000 = 1)",
    warmup=lambda rows: rows,
    lookback=lambda rows: rows,
    unit="1",
    example="pct_change(price, 20)",
)


@op.definition
def definition(x, rows):
    return x[-1] / x[-1 - rows] - 1.0 if x[-1 - rows] != 0.0 else math.nan


@op.polars
def polars(x, rows):
    return finite_or_null(x / x.shift(rows) - 1.0)


@op.kernel
def kernel(x, lo, hi, out, params):
    rows = int(params[0])
    for t in range(lo, hi):
        out[t] = finite(x[t] / x[t - rows] - 1.0)
