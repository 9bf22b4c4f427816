"""divergence(x, flow, window): how far price and cumulated flow part ways, signed by the flow.

    g(y) = 2 (mean of y's last half - mean of its first half) / (highest - lowest), in [-1, 1]
    d[t] = sign(g(c)) min(|g(x)|, |g(c)|) where g(x) and g(c) have opposite signs, else 0

over rows t-window+1 .. t; c is the flow cumulated over them. +1: the flow buys all the way while
the price falls in a straight line; its size is the strength. A half has window // 2 rows.
Null until `window` rows exist and while one is null; 0 where price or c stands still. Unit: none. A
row costs a window.
Source: definition, after Bouchaud, Gefen, Potters and Wyart (2004), Quantitative Finance 4(2).
"""

import math

from qf.missing import any_missing
from qf.op import MOMENT, define

op = define(
    "divergence(x, flow, window: 4..10000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 1,
    tolerance=MOMENT,
    unit="1",
    example="divergence(price, buy_volume - sell_volume, 100)",
)


def _turn(rows):
    half = len(rows) // 2
    width = max(rows) - min(rows)
    gap = (math.fsum(rows[-half:]) - math.fsum(rows[:half])) / half
    return max(-1.0, min(1.0, 2.0 * gap / width)) if width > 0.0 else 0.0


@op.definition
def definition(x, flow, window):
    price, flows = x[-window:], flow[-window:]
    if any_missing(price, flows):
        return math.nan
    path = [math.fsum(flows[: k + 1]) for k in range(window)]
    one, other = _turn([value - price[-1] for value in price]), _turn(path)
    return math.copysign(min(abs(one), abs(other)), other) if one * other < 0.0 else 0.0


@op.polars
def polars(x, flow, window):
    import polars as pl

    from qf.windows import per_window, whole

    half = window // 2

    def turn(rows):
        width = rows.max() - rows.min()
        gap = (rows.tail(half).mean() - rows.head(half).mean()) * 2.0 / width
        return pl.when(width > 0.0).then(gap).otherwise(0.0).clip(-1.0, 1.0)

    one = per_window(turn(x - x.last()), window)
    other = per_window(turn(flow.cum_sum()), window)
    least = pl.min_horizontal(one.abs(), other.abs()) * other.sign()
    return whole(pl.when(one * other < 0.0).then(least).otherwise(0.0), window, x, flow)


def turn_of(low, high, gap, half):
    """Return the change between the halves over the range, in [-1, 1]; 0 where nothing moves."""
    width = high - low
    return max(-1.0, min(1.0, 2.0 * (gap / half) / width)) if width > 0.0 else 0.0


@op.kernel
def kernel(x, flow, lo, hi, out, params, ints):
    window = int(params[0])
    half = window // 2
    known = ints[0]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] and flow[t] == flow[t] else 0
        out[t] = math.nan
        if known < window:
            continue
        first = t - window + 1
        low_x, high_x, gap_x = math.inf, -math.inf, 0.0
        low_c, high_c, gap_c, path = math.inf, -math.inf, 0.0, 0.0
        for i in range(first, t + 1):
            value = x[i] - x[t]
            path += flow[i]
            low_x, high_x = min(low_x, value), max(high_x, value)
            low_c, high_c = min(low_c, path), max(high_c, path)
            if i - first < half:
                gap_x -= value
                gap_c -= path
            if t - i < half:
                gap_x += value
                gap_c += path
        one = turn_of(low_x, high_x, gap_x, half)
        other = turn_of(low_c, high_c, gap_c, half)
        least = min(abs(one), abs(other))
        out[t] = 0.0
        if one * other < 0.0:
            out[t] = least if other > 0.0 else -least
    ints[0] = known
