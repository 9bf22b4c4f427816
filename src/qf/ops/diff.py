"""diff(x, rows): the change over `rows` rows.

    y[t] = x[t] - x[t - rows]

Null for the first `rows` rows and where either value is null. Unit: the unit of x.
Source: definition.
"""

from qf.missing import finite, finite_or_null
from qf.op import define

op = define(
    "diff(x, rows: 1..100000 = 1)",
    warmup=lambda rows: rows,
    lookback=lambda rows: rows,
    unit="x",
    example="diff(mid, 10)",
)


@op.definition
def definition(x, rows):
    return x[-1] - x[-1 - rows]


@op.polars
def polars(x, rows):
    return finite_or_null(x - x.shift(rows))


@op.kernel
def kernel(x, lo, hi, out, params):
    rows = int(params[0])
    for t in range(lo, hi):
        out[t] = finite(x[t] - x[t - rows])
