"""decay(x, age, ttl_ms, half_life_ms): the value while it is fresh, then fading towards 0.

    y[t] = x[t]                                   while age[t] <= ttl
    y[t] = x[t] * 2 ^ -( (age[t] - ttl) / half_life )   afterwards

Null where x or the age is. half_life_ms = 0 stands for ttl_ms. Unit: the unit of x; age in ns.
Source: definition.
"""

import math

from qf.clock import UNIT_NS
from qf.op import SUM, define
from qf.schema import NULL_INT

MS_NS = UNIT_NS["ms"]
LN_2 = math.log(2.0)

op = define(
    "decay(x, age: int, ttl_ms: 1..604800000, half_life_ms: 0..604800000 = 0)",
    tolerance=SUM,
    unit="x",
    example="decay(x, age, 5000)",
)


@op.definition
def definition(x, age, ttl_ms, half_life_ms):
    if age[-1] == NULL_INT:
        return math.nan
    late = max(0.0, age[-1] / MS_NS - ttl_ms)
    return x[-1] * 2.0 ** -(late / (half_life_ms or ttl_ms))


@op.polars
def polars(x, age, ttl_ms, half_life_ms):
    late = (age - ttl_ms * MS_NS).clip(0).cast(float)
    return x * (late * (-LN_2 / ((half_life_ms or ttl_ms) * MS_NS))).exp()


@op.kernel
def kernel(x, age, lo, hi, out, params):
    ttl = int(params[0]) * MS_NS
    half_life = (params[1] if params[1] > 0.0 else params[0]) * MS_NS
    for t in range(lo, hi):
        if age[t] == NULL_INT:
            out[t] = math.nan
        elif age[t] <= ttl:
            out[t] = x[t]
        else:
            out[t] = x[t] * math.exp(-LN_2 * float(age[t] - ttl) / half_life)
