"""cum_max(x): the largest value since the history began.

    y[t] = max(x[0], …, x[t]),  null rows left out

Null where x is. Unit: the unit of x.
Source: definition.
"""

import math

from qf.op import define

op = define(
    "cum_max(x)",
    memory=lambda: 0,
    slots=lambda: 1,
    ints=lambda: 1,
    unit="x",
    example="cum_max(price)",
)


@op.definition
def definition(x):
    return max(value for value in x if value == value) if x[-1] == x[-1] else math.nan


@op.polars
def polars(x):
    return x.cum_max()


@op.kernel
def kernel(x, lo, hi, out, state, ints):
    most = state[0] if ints[0] == 1 else -math.inf
    for t in range(lo, hi):
        value = x[t]
        most = value if value > most else most
        out[t] = most if value == value else math.nan
    state[0] = most
    ints[0] = 1
