"""sum_since(condition, x): sum of x from the last row where the condition held to this one.

    s[t] = x[i] + … + x[t],  i = the last row up to t with condition[i] true, null rows left out

Before the condition has held for the first time, i is the history's first row. Null where x or the
condition is; a null condition does not begin anew. Unit: the unit of x.
The rounding of every addition is kept beside the sum.
Source: Neumaier (1974), Z. Angew. Math. Mech. 54(1), 39-51.
"""

import math

from qf.missing import finite, finite_or_null
from qf.op import SUM, define
from qf.sums import lost

op = define(
    "sum_since(condition, x)",
    memory=lambda: 0,
    slots=lambda: 2,
    tolerance=SUM,
    unit="x",
    example="sum_since(hour() != lag(hour(), 1), size)",
)


@op.definition
def definition(condition, x):
    if x[-1] != x[-1] or condition[-1] != condition[-1]:
        return math.nan
    held = [t for t, value in enumerate(condition) if value == value and value != 0.0]
    first = held[-1] if held else 0
    return math.fsum(value for value in x[first:] if value == value)


@op.polars
def polars(condition, x):
    import polars as pl

    stretch = (condition != 0.0).fill_null(False).cast(int).cum_sum()
    return pl.when(condition.is_not_null()).then(finite_or_null(x.cum_sum().over(stretch)))


@op.kernel
def kernel(condition, x, lo, hi, out, state):
    total, rest = state[0], state[1]
    for t in range(lo, hi):
        value, begins = x[t], condition[t]
        if begins == begins and begins != 0.0:
            total, rest = 0.0, 0.0
        if value == value:
            result = total + value
            rest += lost(total, value, result)
            total = result
        known = value == value and begins == begins
        out[t] = finite(total + rest) if known else math.nan
    state[0], state[1] = total, rest
