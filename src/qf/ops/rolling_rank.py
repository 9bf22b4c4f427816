"""rolling_rank(x, window): the value's mid-rank among the last `window` rows, in (0, 1).

    r[t] = ( count(x[i] below x[t]) + count(x[i] tied with x[t]) / 2 ) / window

i = t-window+1 .. t, the row itself among the ties; values within 1e-9 of each other, relative to
x[t], are ties: without that, two correct ways to compute x disagree on a rank in five. An
unchanged value has 0.5.
Null until `window` rows exist and while a row in the window is null. Unit: none.
Source: Conover (1999), Practical Nonparametric Statistics, 3rd ed., 5.1 (average ranks).
"""

import math

from qf.missing import any_missing
from qf.op import define
from qf.sorting import halves_not_above
from qf.windows import rank_between

TIE = 1e-9  # relative

op = define(
    "rolling_rank(x, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 1,
    unit="1",
    example="rolling_rank(spread_ticks, 100)",
)


@op.definition
def definition(x, window):
    last = x[-window:]
    if any_missing(last):
        return math.nan
    margin = TIE * abs(x[-1])
    below = sum(value < x[-1] - margin for value in last)
    tied = sum(x[-1] - margin <= value <= x[-1] + margin for value in last)
    return (below + 0.5 * tied) / window


@op.polars
def polars(x, window):
    margin = TIE * x.abs()
    return rank_between(x, x - margin, x + margin, window)


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    window = int(params[0])
    seen = ints[0]
    for t in range(lo, hi):
        value = x[t]
        if value == value:
            seen += 1
        if x[t - window] == x[t - window]:
            seen -= 1
        if seen < window:
            out[t] = math.nan
            continue
        margin = TIE * abs(value)
        halves = halves_not_above(x, t, window, value - margin, value + margin)
        out[t] = halves * 0.5 / window
    ints[0] = seen
