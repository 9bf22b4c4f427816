"""minmax(x, window): where the value lies between the extremes so far, or of recent bars.

    y[t] = (x[t] - low) / (high - low)

low and high of the last `window` rows; with window = 0, of all rows since the first that has a
value: never of rows to come. Null where x is, where high = low, and with a window until its rows
exist and while one of them is null. Unit: none, in [0, 1].
Source: van Herk (1992), Pattern Recognition Letters 13(7), 517-521 (the extremes).
"""

import math

from qf.extremes import LARGEST, SMALLEST, farther, slide_place
from qf.missing import any_missing, finite_or_null
from qf.op import define

op = define(
    "minmax(x, window: 0..100000 = 0)",
    warmup=lambda window: max(window - 1, 1),
    lookback=lambda window: window,
    memory=lambda window: window,
    slots=lambda window: 2 * window + 4,
    ints=lambda window: 2,
    unit="1",
    example="minmax(x)",
)


@op.definition
def definition(x, window):
    if any_missing(x[-window:] if window else x[-1:]):
        return math.nan
    rows = [value for value in x[-window:] if value == value]
    low, high = min(rows), max(rows)
    return (x[-1] - low) / (high - low) if high > low else math.nan


@op.polars
def polars(x, window):
    low = x.rolling_min(window) if window else x.cum_min()
    high = x.rolling_max(window) if window else x.cum_max()
    return finite_or_null((x - low) / (high - low))


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    window = int(params[0])
    if window > 0:
        slide_place(x, lo, hi, window, out, state, ints)
    else:
        expanding_place(x, lo, hi, out, state, ints)


def expanding_place(x, lo, hi, out, state, ints):
    """Write where x lies between the extremes of all rows so far."""
    least = state[0] if ints[0] == 1 else math.inf
    most = state[1] if ints[0] == 1 else -math.inf
    for t in range(lo, hi):
        least = farther(x[t], least, SMALLEST)
        most = farther(x[t], most, LARGEST)
        out[t] = (x[t] - least) / (most - least)  # 0 / 0 where they are equal
    state[0], state[1], ints[0] = least, most, 1
