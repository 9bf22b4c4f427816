"""hold(x, age): the value as it is, however old.

    y[t] = x[t]

Null where x or the age is: null means that there is no row yet. Unit: the unit of x.
`ttl_ms` changes nothing; it is taken so that all staleness rules are called alike.
Source: definition.
"""

import math

from qf.op import define
from qf.schema import NULL_INT

op = define("hold(x, age: int, ttl_ms: 1..604800000 = 1)", unit="x", example="hold(x, age)")


@op.definition
def definition(x, age, ttl_ms):
    return math.nan if age[-1] == NULL_INT else x[-1]


@op.polars
def polars(x, age, ttl_ms):
    return x + 0.0 * age


@op.kernel
def kernel(x, age, lo, hi, out):
    for t in range(lo, hi):
        out[t] = x[t] if age[t] != NULL_INT else math.nan
