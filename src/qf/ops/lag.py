"""lag(x, rows): the value `rows` rows ago.

    y[t] = x[t - rows]

Null for the first `rows` rows and where the earlier value is null. Unit: the unit of x.
Source: definition.
"""

from qf.op import define

op = define(
    "lag(x, rows: 1..100000)",
    warmup=lambda rows: rows,
    lookback=lambda rows: rows,
    example="lag(price, 10)",
)


@op.definition
def definition(x, rows):
    return x[-1 - rows]


@op.polars
def polars(x, rows):
    return x.shift(rows)


@op.kernel
def kernel(x, lo, hi, out, params):
    rows = int(params[0])
    for t in range(lo, hi):
        out[t] = x[t - rows]
