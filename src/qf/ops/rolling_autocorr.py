"""rolling_autocorr(x, window, lag): correlation of the last `window` rows with those `lag` earlier.

    r[t] = corr( x[t-window+1 .. t], x[t-lag-window+1 .. t-lag] )   (Pearson)

Null until window + lag rows exist, while a row in either stretch is null, and where either is
constant. Unit: none.
Source: Box, Jenkins (1970), Time Series Analysis, 2.1 (here with both stretches' own means).
"""

import math

from qf.missing import any_missing, finite, finite_or_null
from qf.moments import SHRUNK, products_afresh
from qf.op import MOMENT, define
from qf.windows import per_window, whole

op = define(
    "rolling_autocorr(x, window: 2..50000, lag: 1..10000 = 1)",
    warmup=lambda window, lag: window + lag - 1,
    lookback=lambda window, lag: window + lag,
    slots=lambda window, lag: 9,
    ints=lambda window, lag: 3,
    tolerance=MOMENT,
    unit="1",
    example="rolling_autocorr(mid, 50, 5)",
)


@op.definition
def definition(x, window, lag):
    one, other = x[-window:], x[-lag - window : -lag]
    if any_missing(one, other):
        return math.nan
    one = [value - x[-1] for value in one]
    other = [value - x[-1 - lag] for value in other]
    one = [value - math.fsum(one) / window for value in one]
    other = [value - math.fsum(other) / window for value in other]
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    spread = math.fsum(a * a for a in one) * math.fsum(b * b for b in other)
    return max(-1.0, min(1.0, product / math.sqrt(spread))) if spread > 0.0 else math.nan


@op.polars
def polars(x, window, lag):
    import polars as pl

    moving = x.rolling_min(window) < x.rolling_max(window)
    moving = moving & moving.shift(lag)
    found = per_window(pl.corr(x.tail(window), x.head(window)), window + lag)
    # stretches that do not touch leave rows between them, which may be null
    found = whole(finite_or_null(found).clip(-1.0, 1.0), window, x, x.shift(lag))
    return pl.when(moving).then(found)


@op.kernel
def kernel(x, lo, hi, row, out, params, state, ints):
    window, lag = int(params[0]), int(params[1])
    share = 1.0 / window
    seen, run = ints[0], ints[1]
    run_lagged = ints[2]
    phase = row % window
    for t in range(lo, hi):
        run = run + 1 if x[t] == x[t - 1] else 1
        run_lagged = run_lagged + 1 if x[t - lag] == x[t - lag - 1] else 1
        one, other = x[t] - state[0], x[t - lag] - state[1]
        if one == one and other == other:
            state[2] += one
            state[3] += other
            state[4] += one * one
            state[5] += other * other
            state[6] += one * other
            seen += 1
        one, other = x[t - window] - state[0], x[t - window - lag] - state[1]
        if one == one and other == other:
            state[2] -= one
            state[3] -= other
            state[4] -= one * one
            state[5] -= other * other
            state[6] -= one * other
            seen -= 1
        state[7] = max(state[7], state[4])
        state[8] = max(state[8], state[5])
        spread = state[4] - state[2] * state[2] * share
        lagged = state[5] - state[3] * state[3] * share
        thin = (spread < SHRUNK * state[7] and run < window) or (
            lagged < SHRUNK * state[8] and run_lagged < window
        )
        if phase == 0 or (thin and seen == window):
            products_afresh(x, x, lag, t, window, state)
            spread = state[4] - state[2] * state[2] * share
            lagged = state[5] - state[3] * state[3] * share
        phase = phase + 1 if phase + 1 < window else 0
        if seen < window or run >= window or run_lagged >= window or spread * lagged <= 0.0:
            out[t] = math.nan
            continue
        found = finite((state[6] - state[2] * state[3] * share) / math.sqrt(spread * lagged))
        found = 1.0 if found > 1.0 else found
        out[t] = -1.0 if found < -1.0 else found
    ints[0], ints[1], ints[2] = seen, run, run_lagged
