"""invalidate(x, age, ttl_ms): the value while it is fresh, nothing afterwards.

    y[t] = x[t] if age[t] <= ttl else null,   ttl = ttl_ms in ns

Null where x or the age is, and beyond the ttl. Unit: the unit of x; age in ns.
Source: definition.
"""

import math

from qf.clock import UNIT_NS
from qf.op import define
from qf.schema import NULL_INT

MS_NS = UNIT_NS["ms"]

op = define(
    "invalidate(x, age: int, ttl_ms: 1..604800000)", unit="x", example="invalidate(x, age, 5000)"
)


@op.definition
def definition(x, age, ttl_ms):
    return x[-1] if NULL_INT < age[-1] <= ttl_ms * MS_NS else math.nan


@op.polars
def polars(x, age, ttl_ms):
    import polars as pl

    return pl.when(age <= ttl_ms * MS_NS).then(x)


@op.kernel
def kernel(x, age, lo, hi, out, params):
    ttl = int(params[0]) * MS_NS
    for t in range(lo, hi):
        out[t] = x[t] if age[t] != NULL_INT and age[t] <= ttl else math.nan
