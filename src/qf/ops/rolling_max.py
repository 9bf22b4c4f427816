"""rolling_max(x, window): the largest of the last `window` rows.

    m[t] = max(x[t-window+1], …, x[t])

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
Blocks of `window` rows, counted from the history's start: the answer is the larger of the head
of this block and the tail of the one before, so a row costs three comparisons.
Source: van Herk (1992), Pattern Recognition Letters 13(7), 517-521.
"""

import math

from qf.extremes import LARGEST, slide_extreme
from qf.missing import any_missing
from qf.op import define

op = define(
    "rolling_max(x, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: window + 2,
    ints=lambda window: 2,
    unit="x",
    window_form="window_max",
    example="rolling_max(price, 20)",
)


@op.definition
def definition(x, window):
    return math.nan if any_missing(x[-window:]) else max(x[-window:])


@op.polars
def polars(x, window):
    return x.rolling_max(window)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_extreme(x, lo, hi, int(params[0]), LARGEST, out, state, ints)
