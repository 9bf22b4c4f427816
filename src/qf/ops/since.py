"""since(condition): rows from the last one where the condition held to this one.

    n[t] = t - i,  i = the last row up to t with condition[i] true

0 where it holds. Null before it has held for the first time, and where it is itself null (it may
hold now). Unit: none (rows).
Source: definition.
"""

import math

from qf.op import define

op = define(
    "since(condition)",
    memory=lambda: 0,
    ints=lambda: 2,
    unit="1",
    example="since(direction > 0)",
)


@op.definition
def definition(condition):
    held = [t for t, value in enumerate(condition) if value == value and value != 0.0]
    if not held or condition[-1] != condition[-1]:
        return math.nan
    return float(len(condition) - 1 - held[-1])


@op.polars
def polars(condition):
    import polars as pl

    row = pl.int_range(pl.len())
    rows = row - pl.when(condition != 0.0).then(row).forward_fill()
    return pl.when(condition.is_not_null()).then(rows.cast(float))


@op.kernel
def kernel(condition, lo, hi, out, ints):
    rows, has_held = ints[0], ints[1]
    for t in range(lo, hi):
        value = condition[t]
        rows += 1
        if value == value and value != 0.0:
            rows, has_held = 0, 1
        out[t] = float(rows) if has_held == 1 and value == value else math.nan
    ints[0], ints[1] = rows, has_held
