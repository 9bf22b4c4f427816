"""rolling_sum(x, window): sum of the last `window` rows.

    s[t] = x[t-window+1] + … + x[t]

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
The running sum starts afresh at every row whose number divides by the window, so it neither
drifts nor depends on where the stream was cut.
Source: definition.
"""

import math

from qf.op import SUM, define

op = define(
    "rolling_sum(x, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 1,
    ints=lambda window: 1,
    tolerance=SUM,
    example="rolling_sum(size, 20)",
)


@op.definition
def definition(x, window):
    return math.fsum(x[-window:])


@op.polars
def polars(x, window):
    return x.rolling_sum(window)


@op.kernel
def kernel(x, lo, hi, row, out, params, state, ints):
    window = int(params[0])
    total = state[0]
    seen = ints[0]
    phase = row % window
    for t in range(lo, hi):
        new = x[t]
        old = x[t - window]
        if new == new:
            total += new
            seen += 1
        if old == old:
            total -= old
            seen -= 1
        if phase == 0:
            total = 0.0
            for i in range(t - window + 1, t + 1):
                if x[i] == x[i]:
                    total += x[i]
        phase = phase + 1 if phase + 1 < window else 0
        out[t] = total if seen == window else math.nan
    state[0] = total
    ints[0] = seen
