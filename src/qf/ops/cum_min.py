"""cum_min(x): the smallest value since the history began.

    y[t] = min(x[0], …, x[t]),  null rows left out

Null where x is. Unit: the unit of x.
Source: definition.
"""

import math

from qf.op import define

op = define(
    "cum_min(x)",
    memory=lambda: 0,
    slots=lambda: 1,
    ints=lambda: 1,
    unit="x",
    example="cum_min(price)",
)


@op.definition
def definition(x):
    return min(value for value in x if value == value) if x[-1] == x[-1] else math.nan


@op.polars
def polars(x):
    return x.cum_min()


@op.kernel
def kernel(x, lo, hi, out, state, ints):
    least = state[0] if ints[0] == 1 else math.inf
    for t in range(lo, hi):
        value = x[t]
        least = value if value < least else least
        out[t] = least if value == value else math.nan
    state[0] = least
    ints[0] = 1
