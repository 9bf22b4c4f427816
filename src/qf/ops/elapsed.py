"""elapsed(rows): seconds between this row and the one `rows` rows ago.

    y[t] = (time[t] - time[t-rows]) / 1e9

Null until `rows` earlier rows exist and where a time is. Unit: s, on processed time.
Source: definition.
"""

import math

from qf.op import define
from qf.schema import NULL_INT

op = define(
    "elapsed(time: time, rows: 1..100000 = 1)",
    warmup=lambda rows: rows,
    lookback=lambda rows: rows,
    unit="s",
    example="elapsed(20)",
)


@op.definition
def definition(time, rows):
    new, old = time[-1], time[-1 - rows]
    return math.nan if NULL_INT in (new, old) else (new - old) / 1e9


@op.polars
def polars(time, rows):
    import polars as pl

    return time.diff(rows).cast(float) / (0.0 * pl.int_range(pl.len()) + 1e9)


@op.kernel
def kernel(time, lo, hi, out, params):
    rows = int(params[0])
    for t in range(lo, hi):
        known = time[t] != NULL_INT and time[t - rows] != NULL_INT
        out[t] = (time[t] - time[t - rows]) / 1e9 if known else math.nan
