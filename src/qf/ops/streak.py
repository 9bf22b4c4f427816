"""streak(condition): for how many rows in a row the condition has held, this one included.

    n[t] = n[t-1] + 1 where condition[t] holds, 0 where it does not

Null where the condition is; the count begins anew after a null row and with the history.
Unit: none (rows).
Source: definition.
"""

import math

from qf.op import define

op = define(
    "streak(condition)",
    memory=lambda: 0,
    ints=lambda: 1,
    unit="1",
    example="streak(direction > 0)",
)


@op.definition
def definition(condition):
    if condition[-1] != condition[-1]:
        return math.nan
    count = 0.0
    for value in reversed(condition):
        if value == 0.0 or value != value:
            break
        count += 1.0
    return count


@op.polars
def polars(condition):
    import polars as pl

    row = pl.int_range(pl.len())
    holds = (condition != 0.0).fill_null(False)
    ended = pl.when(~holds).then(row).forward_fill().fill_null(-1)
    return pl.when(condition.is_not_null()).then((row - ended).cast(float))


@op.kernel
def kernel(condition, lo, hi, out, ints):
    count = ints[0]
    for t in range(lo, hi):
        value = condition[t]
        known = value == value
        count = count + 1 if known and value != 0.0 else 0
        out[t] = float(count) if known else math.nan
    ints[0] = count
