"""value_when(condition, x): x as it was in the last row where the condition held.

    y[t] = x[i],  i = the last row up to t with condition[i] true

Null before the condition has held for the first time, where it is itself null (it may hold now),
and where x[i] is. Unit: the unit of x.
Source: definition.
"""

import math

from qf.op import define

op = define(
    "value_when(condition, x)",
    memory=lambda: 0,
    slots=lambda: 1,
    ints=lambda: 1,
    unit="x",
    example="value_when(direction != lag(direction, 1), price)",
)


@op.definition
def definition(condition, x):
    held = [t for t, value in enumerate(condition) if value == value and value != 0.0]
    if not held or condition[-1] != condition[-1]:
        return math.nan
    return x[held[-1]]


@op.polars
def polars(condition, x):
    import polars as pl

    row = pl.int_range(pl.len())
    last = pl.when(condition != 0.0).then(row).forward_fill()
    return pl.when(condition.is_not_null()).then(x.gather(last))


@op.kernel
def kernel(condition, x, lo, hi, out, state, ints):
    kept, has_held = state[0], ints[0]
    for t in range(lo, hi):
        value = condition[t]
        if value == value and value != 0.0:
            kept, has_held = x[t], 1
        out[t] = kept if has_held == 1 and value == value else math.nan
    state[0], ints[0] = kept, has_held
