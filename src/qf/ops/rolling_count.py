"""rolling_count(x, window): how many of the last `window` rows have a value.

    n[t] = count of i in t-window+1 .. t with x[i] not null

Null until `window` rows exist. Unit: none (rows).
Source: definition.
"""

import math

from qf.op import define

op = define(
    "rolling_count(x, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 1,
    unit="1",
    window_form="window_count",
    example="rolling_count(mid, 20)",
)


@op.definition
def definition(x, window):
    return float(sum(value == value for value in x[-window:]))


@op.polars
def polars(x, window):
    return x.is_not_null().cast(float).rolling_sum(window)


@op.kernel
def kernel(x, lo, hi, row, out, params, ints):
    window = int(params[0])
    seen = ints[0]
    for t in range(lo, hi):
        if x[t] == x[t]:
            seen += 1
        if x[t - window] == x[t - window]:
            seen -= 1
        out[t] = float(seen) if row + t - lo >= window - 1 else math.nan
    ints[0] = seen
