"""decay_sum(x, decay): sum of all rows so far, each weighted by decay ^ (its age in rows).

    y[t] = x[t] + decay y[t-1]

Null where x is; the row after a null starts afresh with y = x. Unit: the unit of x.
Source: Roberts (1959), Technometrics 1(3), 239-250 (without the normalising factor).
"""

import math

from qf.missing import finite_or_null
from qf.op import SUM, define
from qf.windows import forgets

op = define(
    "decay_sum(x, decay: 0.0..0.999999)",
    memory=forgets,
    slots=lambda decay: 1,
    tolerance=SUM,
    unit="x",
    example="decay_sum(ofi_0, 0.95)",
)


@op.definition
def definition(x, decay):
    total = 0.0
    for value in x:
        total = value + decay * total if value == value else 0.0
    return total if x[-1] == x[-1] else math.nan


@op.polars
def polars(x, decay):
    stretch = x.is_null().cum_sum()
    return finite_or_null(x.ewm_sum(alpha=1.0 - decay).over(stretch))


@op.kernel
def kernel(x, lo, hi, out, params, state):
    decay = params[0]
    total = state[0]
    for t in range(lo, hi):
        value = x[t]
        total = value + decay * total if value == value else 0.0
        out[t] = total if value == value else math.nan
    state[0] = total
