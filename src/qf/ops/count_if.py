"""count_if(condition, window): in how many of the last `window` rows the condition held.

    n[t] = count of i in t-window+1 .. t with condition[i] true

Null until `window` rows exist and while the condition is null in one of them. Unit: none (rows).
Source: definition.
"""

import math

from qf.missing import any_missing
from qf.op import define

op = define(
    "count_if(condition, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 2,
    unit="1",
    window_form="window_count_if",
    example="count_if(direction > 0, 50)",
)


@op.definition
def definition(condition, window):
    last = condition[-window:]
    return math.nan if any_missing(last) else float(sum(value != 0.0 for value in last))


@op.polars
def polars(condition, window):
    return (condition != 0.0).cast(int).rolling_sum(window).cast(float)


@op.kernel
def kernel(condition, lo, hi, out, params, ints):
    window = int(params[0])
    known, held = ints[0], ints[1]
    for t in range(lo, hi):
        new, old = condition[t], condition[t - window]
        known += (1 if new == new else 0) - (1 if old == old else 0)
        held += 1 if new == new and new != 0.0 else 0
        held -= 1 if old == old and old != 0.0 else 0
        out[t] = float(held) if known == window else math.nan
    ints[0], ints[1] = known, held
