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
        newest, path, low_x, high_x, gap_x, gap_c = x[t], 0.0, 0.0, 0.0, 0.0, 0.0
        low_c, high_c = flow[first], flow[first]
        for part in range(3):  # the first half, what an odd window has between, the last half
            start = first + half if part == 1 else (first if part == 0 else t + 1 - half)
            stop = first + half if part == 0 else (t + 1 - half if part == 1 else t + 1)
            sign = part - 1.0
            for i in range(start, stop):
                value = x[i] - newest
                path += flow[i]
                low_x = value if value < low_x else low_x
                high_x = value if value > high_x else high_x
                low_c = path if path < low_c else low_c
                high_c = path if path > high_c else high_c
                gap_x += sign * value
                gap_c += sign * path
        one = turn_of(low_x, high_x, gap_x, half)
        other = turn_of(low_c, high_c, gap_c, half)
        least = min(abs(one), abs(other))
        out[t] = 0.0
        if one * other < 0.0:
            out[t] = least if other > 0.0 else -least
    ints[0] = known
