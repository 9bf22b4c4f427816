"""log_return(x, rows): the logarithm of the ratio to the value `rows` rows ago.

    y[t] = ln( x[t] / x[t - rows] )

Null for the first `rows` rows, where either value is null, and where the ratio is not above 0.
Unit: none.
Source: Osborne (1959), Operations Research 7(2), 145-173.
"""

import math

from qf.missing import finite_or_null
from qf.op import SUM, define

op = define(
    "log_return(x, rows: 1..100000 = 1)",
    warmup=lambda rows: rows,
    lookback=lambda rows: rows,
    tolerance=SUM,
    unit="1",
    example="log_return(price)",
)


@op.definition
def definition(x, rows):
    ratio = x[-1] / x[-1 - rows] if x[-1 - rows] != 0.0 else math.nan
    return math.log(ratio) if 0.0 < ratio < math.inf else math.nan


@op.polars
def polars(x, rows):
    return finite_or_null((x / x.shift(rows)).log())


@op.kernel
def kernel(x, lo, hi, out, params):
    rows = int(params[0])
    for t in range(lo, hi):
        ratio = x[t] / x[t - rows]
        out[t] = math.log(ratio) if ratio > 0.0 and ratio - ratio == 0.0 else math.nan
