"""missing(): no value on any row; a formula writes it `null`.

    y[t] = null

Null: always. Unit: any.
Source: definition.
"""

import math

from qf.op import define

op = define("missing()", example="where(price > 0, size, null)")


@op.definition
def definition():
    return math.nan


@op.polars
def polars():
    import polars as pl

    return pl.repeat(None, pl.len(), dtype=pl.Float64)


@op.kernel
def kernel(lo, hi, out):
    for t in range(lo, hi):
        out[t] = math.nan
