"""seconds_since(condition): seconds from the last row where the condition held to this row.

    y[t] = (time[t] - time[i]) / 1e9,  i = the last row up to t with condition[i] true

Null before the condition has held for the first time, and where it is itself null (it may hold
now); a row where it holds has 0. Unit: seconds, on processed time.
Source: definition.
"""

import math

from qf.op import define

op = define(
    "seconds_since(condition, time: time)",
    memory=lambda: 0,
    ints=lambda: 2,
    tolerance=0.0,
    unit="s",
    example="seconds_since(direction > 0)",
)


@op.definition
def definition(condition, time):
    held = [t for t, value in enumerate(condition) if value == value and value != 0.0]
    if not held or condition[-1] != condition[-1]:
        return math.nan
    return (time[-1] - time[held[-1]]) / 1e9


@op.polars
def polars(condition, time):
    import polars as pl

    since = time - pl.when(condition != 0.0).then(time).forward_fill()
    second = 0.0 * pl.int_range(pl.len()) + 1e9
    return pl.when(condition.is_not_null()).then(since.cast(float) / second)


@op.kernel
def kernel(condition, time, lo, hi, out, ints):
    last, has_held = ints[0], ints[1]
    for t in range(lo, hi):
        value = condition[t]
        if value == value and value != 0.0:
            last, has_held = time[t], 1
        out[t] = (time[t] - last) / 1e9 if has_held == 1 and value == value else math.nan
    ints[0], ints[1] = last, has_held
