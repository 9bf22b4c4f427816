"""rolling_minmax(x, window): where the value lies between the extremes of its window.

    y[t] = (x[t] - low) / (high - low),  low and high of rows t-window+1 .. t

Null until `window` rows exist, while a row in the window is null, and where high = low. Unit: none.
Source: van Herk (1992), Pattern Recognition Letters 13(7), 517-521 (the extremes).
"""

import math

from qf.extremes import slide_place
from qf.missing import any_missing, finite_or_null
from qf.op import define

op = define(
    "rolling_minmax(x, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 2 * window + 4,
    ints=lambda window: 2,
    unit="1",
    window_form="window_minmax",
    example="rolling_minmax(price, 20)",
)


@op.definition
def definition(x, window):
    last = x[-window:]
    if any_missing(last) or min(last) == max(last):
        return math.nan
    return (x[-1] - min(last)) / (max(last) - min(last))


@op.polars
def polars(x, window):
    low, high = x.rolling_min(window), x.rolling_max(window)
    return finite_or_null((x - low) / (high - low))


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_place(x, lo, hi, int(params[0]), out, state, ints)
