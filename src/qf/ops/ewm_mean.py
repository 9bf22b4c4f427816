"""ewm_mean(x, alpha): exponentially weighted mean.

    y[t] = (1 - alpha) y[t-1] + alpha x[t],   y = x at the first row

Null where x is; the row after a null starts afresh with y = x. Unit: the unit of x.
Source: Roberts (1959), Technometrics 1(3), 239-250.
"""

import math

from qf.missing import finite_or_null
from qf.op import SUM, define
from qf.windows import forgets

op = define(
    "ewm_mean(x, alpha: 1e-6..1.0)",
    memory=lambda alpha: forgets(1.0 - alpha),
    slots=lambda alpha: 1,
    ints=lambda alpha: 1,
    tolerance=SUM,
    unit="x",
    example="ewm_mean(mid, 0.1)",
)


@op.definition
def definition(x, alpha):
    mean = math.nan
    for value in x:
        mean = (1.0 - alpha) * mean + alpha * value if mean == mean else value
        mean = mean if value == value else math.nan
    return mean


@op.polars
def polars(x, alpha):
    stretch = x.is_null().cum_sum()
    return finite_or_null(x.ewm_mean(alpha=alpha, adjust=False).over(stretch))


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    alpha = params[0]
    mean = state[0]
    going = ints[0]  # whether the row before had a value
    for t in range(lo, hi):
        value = x[t]
        if value == value:
            mean = (1.0 - alpha) * mean + alpha * value if going == 1 else value
            going = 1
            out[t] = mean
        else:
            going = 0
            out[t] = math.nan
    state[0] = mean
    ints[0] = going
