"""rolling_quantile(x, window, q): the value that a share q of the last `window` rows lies below.

    h = (window - 1) q;  v[t] = s[floor h] + (h - floor h) (s[floor h + 1] - s[floor h])

s: the window in ascending order, from 0. q = 0.5 is the median. Null until `window` rows exist and
while a row in the window is null. Unit: the unit of x. The state is the window in sorted order.
Source: Hyndman, Fan (1996), The American Statistician 50(4), 361-365 (type 7).
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define
from qf.sorting import slide

op = define(
    "rolling_quantile(x, window: 1..100000, q: 0.0..1.0)",
    warmup=lambda window, q: window - 1,
    lookback=lambda window, q: window,
    slots=lambda window, q: window + 1,
    ints=lambda window, q: 1,
    tolerance=SUM,
    unit="x",
    window_form="window_quantile",
    example="rolling_quantile(size, 100, 0.9)",
)


@op.definition
def definition(x, window, q):
    if any_missing(x[-window:]):
        return math.nan
    rows = sorted(x[-window:])
    place = (window - 1) * q
    below, above = rows[math.floor(place)], rows[math.ceil(place)]
    return below + (place - math.floor(place)) * (above - below)


@op.polars
def polars(x, window, q):
    return x.rolling_quantile(q, interpolation="linear", window_size=window)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    window = int(params[0])
    place = (window - 1) * params[1]
    lower = int(place)
    share = place - lower
    upper = lower + 1 if share > 0.0 else lower
    count = ints[0]
    for t in range(lo, hi):
        count = slide(state, count, x[t - window], x[t])
        value = state[lower] + share * (state[upper] - state[lower])
        out[t] = value if count == window else math.nan
    ints[0] = count
