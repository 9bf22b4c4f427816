"""rolling_minmax(x, window): where the value lies between the extremes of its window.

    y[t] = (x[t] - low) / (high - low),  low and high of rows t-window+1 .. t

Null until `window` rows exist, while a row in the window is null, and where high = low. Unit: none.
Source: van Herk (1992), Pattern Recognition Letters 13(7), 517-521 (the extremes).
"""

import math

from qf.extremes import tails_afresh
from qf.missing import any_missing, finite, finite_or_null
from qf.op import define

op = define(
    "rolling_minmax(x, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 2 * window + 4,
    ints=lambda window: 1,
    unit="1",
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
def kernel(x, lo, hi, row, out, params, state, ints):
    window = int(params[0])
    least, most = state[2 * window + 2], state[2 * window + 3]
    seen = ints[0]
    t = lo
    while t < hi:
        phase = (row + t - lo) % window
        if phase == 0:
            tails_afresh(x, t, window, state)
            least, most = math.inf, -math.inf
        stop = min(hi, t + window - phase)
        while t < stop:
            phase += 1
            new = x[t]
            seen += 1 if new == new else 0
            seen -= 1 if x[t - window] == x[t - window] else 0
            least = new if new < least else least
            most = new if new > most else most
            low, high = state[phase], state[window + 1 + phase]
            low = least if least < low else low
            high = most if most > high else high
            out[t] = finite((new - low) / (high - low)) if seen == window else math.nan
            t += 1
    state[2 * window + 2], state[2 * window + 3] = least, most
    ints[0] = seen
