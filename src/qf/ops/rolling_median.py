"""rolling_median(x, window): the middle value of the last `window` rows.

    m[t] = the middle of sorted(x[t-window+1 .. t]), the mean of the two middles if even

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
The state is the window in sorted order.
Source: definition.
"""

import math
import statistics

from qf.missing import any_missing
from qf.op import SUM, define
from qf.sorting import slide

op = define(
    "rolling_median(x, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: window + 1,
    ints=lambda window: 1,
    tolerance=SUM,
    unit="x",
    window_form="window_median",
    example="rolling_median(size, 21)",
)


@op.definition
def definition(x, window):
    return math.nan if any_missing(x[-window:]) else statistics.median(x[-window:])


@op.polars
def polars(x, window):
    return x.rolling_median(window)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    window = int(params[0])
    count = ints[0]
    upper = window // 2
    lower = (window - 1) // 2
    for t in range(lo, hi):
        count = slide(state, count, x[t - window], x[t])
        out[t] = 0.5 * (state[lower] + state[upper]) if count == window else math.nan
    ints[0] = count
