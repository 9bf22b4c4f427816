"""cum_sum(x): sum of all rows since the history began.

    y[t] = x[0] + … + x[t],  null rows left out

Null where x is. Unit: the unit of x.
The rounding of every addition is kept beside the sum, so months of rows cost no digits.
Source: Neumaier (1974), Z. Angew. Math. Mech. 54(1), 39-51.
"""

import math

from qf.missing import finite, finite_or_null
from qf.op import SUM, define
from qf.sums import lost

op = define(
    "cum_sum(x)",
    memory=lambda: 0,
    slots=lambda: 2,
    tolerance=SUM,
    unit="x",
    example="cum_sum(ofi_0)",
)


@op.definition
def definition(x):
    return math.fsum(value for value in x if value == value) if x[-1] == x[-1] else math.nan


@op.polars
def polars(x):
    return finite_or_null(x.cum_sum())


@op.kernel
def kernel(x, lo, hi, out, state):
    total, rest = state[0], state[1]
    for t in range(lo, hi):
        value = x[t]
        if value == value:
            result = total + value
            rest += lost(total, value, result)
            total = result
            out[t] = finite(total + rest)
        else:
            out[t] = math.nan
    state[0], state[1] = total, rest
