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
from qf.windows import per_window, whole

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
    import polars as pl

    low, high = x - TIE * x.abs(), x + TIE * x.abs()
    if window <= 1024:  # a balanced tree of shifts: ten times faster than a group per row
        halves = _count(x, low, high, 0, window)
    else:
        now = x.last()
        margin = TIE * now.abs()
        halves = per_window((x < now - margin).sum() + (x <= now + margin).sum(), window)
    rows = 0.0 * pl.int_range(pl.len()) + window  # it multiplies by a literal's reciprocal
    return whole(halves.cast(float) * 0.5 / rows, window, x)


def _count(x, low, high, first, end):
    """Return, over rows first..end-1 ago, how many are below plus how many are not above."""
    if end - first == 1:
        return (x.shift(first) < low).cast(int) + (x.shift(first) <= high).cast(int)
    middle = (first + end) // 2
    return _count(x, low, high, first, middle) + _count(x, low, high, middle, end)


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
        low, high = value - margin, value + margin
        halves = 0  # below counts twice, tied once: plain compares, so the loop runs in lanes
        for i in range(t - window + 1, t + 1):
            halves += (1 if x[i] < low else 0) + (1 if x[i] <= high else 0)
        out[t] = halves * 0.5 / window
    ints[0] = seen
