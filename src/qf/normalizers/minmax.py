"""minmax(x, window): where the value lies between the extremes so far, or of recent bars.

    y[t] = (x[t] - low) / (high - low)

low and high of the last `window` rows; with window = 0, of all rows since the first that has a
value: never of rows to come. Null where x is, where high = low, and with a window until its rows
exist and while one of them is null. Unit: none, in [0, 1].
Source: van Herk (1992), Pattern Recognition Letters 13(7), 517-521 (the extremes).
"""

import math

from qf.extremes import tails_afresh
from qf.missing import any_missing, finite, finite_or_null
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
def kernel(x, lo, hi, row, out, params, state, ints):
    window = int(params[0])
    least, most = state[2 * window + 2], state[2 * window + 3]
    if ints[1] == 0:
        least, most = math.inf, -math.inf
        ints[1] = 1
    if window == 0:
        for t in range(lo, hi):
            least = x[t] if x[t] < least else least
            most = x[t] if x[t] > most else most
            out[t] = finite((x[t] - least) / (most - least))
    seen = ints[0]
    phase = row % max(window, 1)
    for t in range(lo, hi if window > 0 else lo):
        new = x[t]
        if new == new:
            seen += 1
        if x[t - window] == x[t - window]:
            seen -= 1
        if phase == 0:
            tails_afresh(x, t, window, state)
            least, most = math.inf, -math.inf
        least = new if new < least else least
        most = new if new > most else most
        phase += 1
        low, high = state[phase], state[window + 1 + phase]
        low = least if least < low else low
        high = most if most > high else high
        phase = phase if phase < window else 0
        out[t] = finite((new - low) / (high - low)) if seen == window else math.nan
    state[2 * window + 2], state[2 * window + 3] = least, most
    ints[0] = seen
