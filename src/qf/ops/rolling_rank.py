"""rolling_rank(x, window): the value's mid-rank among the last `window` rows, in (0, 1).

    r[t] = ( count(x[i] below x[t]) + count(x[i] tied with x[t]) / 2 ) / window

i = t-window+1 .. t, the row itself among the ties; values within 1e-9 of each other, relative to
x[t], are ties: without that, two correct ways to compute x disagree on a rank in five. An
unchanged value has 0.5.
Null until `window` rows exist and while a row in the window is null. Unit: none.
Source: Conover (1999), Practical Nonparametric Statistics, 3rd ed., 5.1 (average ranks).
"""

from qf.op import define
from qf.ranks import mid_rank, mid_ranks, slide_ranks

op = define(
    "rolling_rank(x, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 1,
    unit="1",
    window_form="window_rank",
    example="rolling_rank(spread_ticks, 100)",
)


@op.definition
def definition(x, window):
    return mid_rank(x[-window:])


@op.polars
def polars(x, window):
    return mid_ranks(x, window)


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    slide_ranks(x, lo, hi, int(params[0]), out, ints)
