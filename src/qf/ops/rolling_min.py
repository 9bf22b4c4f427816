"""rolling_min(x, window): the smallest of the last `window` rows.

    m[t] = min(x[t-window+1], …, x[t])

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
Blocks of `window` rows, counted from the history's start: the answer is the smaller of the head
of this block and the tail of the one before, so a row costs three comparisons.
Source: van Herk (1992), Pattern Recognition Letters 13(7), 517-521.
"""

import math

from qf.missing import any_missing
from qf.op import define

op = define(
    "rolling_min(x, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: window + 2,
    ints=lambda window: 1,
    unit="x",
    window_form="window_min",
    example="rolling_min(price, 20)",
)


@op.definition
def definition(x, window):
    return math.nan if any_missing(x[-window:]) else min(x[-window:])


@op.polars
def polars(x, window):
    return x.rolling_min(window)


@op.kernel
def kernel(x, lo, hi, row, out, params, state, ints):
    window = int(params[0])
    head = state[window + 1]
    seen = ints[0]
    t = lo
    while t < hi:
        phase = (row + t - lo) % window
        if phase == 0:  # state[k] becomes the minimum of rows k.. of the block before
            head = math.inf
            tail = math.inf
            state[window] = tail
            for k in range(window - 1, -1, -1):
                old = x[t - window + k]
                tail = old if old < tail else tail
                state[k] = tail
        stop = min(hi, t + window - phase)
        while t < stop:
            phase += 1
            new = x[t]
            seen += 1 if new == new else 0
            seen -= 1 if x[t - window] == x[t - window] else 0
            head = new if new < head else head
            tail = state[phase]
            found = head if head < tail else tail
            out[t] = found if seen == window else math.nan
            t += 1
    state[window + 1] = head
    ints[0] = seen
