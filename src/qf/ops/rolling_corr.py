"""rolling_corr(x, y, window): Pearson correlation of the last `window` rows.

    r[t] = cov(x, y) / ( s(x) s(y) ),  over rows t-window+1 .. t

Null until `window` rows exist, while a row in the window is null in either, and where either is
constant. Unit: none.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing, finite, finite_or_null
from qf.moments import SHRUNK, products_afresh
from qf.op import MOMENT, define
from qf.windows import per_window, whole

op = define(
    "rolling_corr(x, y, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 9,
    ints=lambda window: 3,
    tolerance=MOMENT,
    unit="1",
    example="rolling_corr(bid_depth, ask_depth, 50)",
)


@op.definition
def definition(x, y, window):
    one, other = x[-window:], y[-window:]
    if any_missing(one, other):
        return math.nan
    one = [value - x[-1] for value in one]
    other = [value - y[-1] for value in other]
    one = [value - math.fsum(one) / window for value in one]
    other = [value - math.fsum(other) / window for value in other]
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    spread = math.fsum(a * a for a in one) * math.fsum(b * b for b in other)
    return max(-1.0, min(1.0, product / math.sqrt(spread))) if spread > 0.0 else math.nan


@op.polars
def polars(x, y, window):
    import polars as pl

    moving = (x.rolling_min(window) < x.rolling_max(window)) & (
        y.rolling_min(window) < y.rolling_max(window)
    )
    found = finite_or_null(per_window(pl.corr(x, y), window)).clip(-1.0, 1.0)
    return pl.when(moving).then(whole(found, window, x, y))


@op.kernel
def kernel(x, y, lo, hi, row, out, params, state, ints):
    window = int(params[0])
    share = 1.0 / window
    seen, run_x, run_y = ints[0], ints[1], ints[2]
    phase = row % window
    for t in range(lo, hi):
        run_x = run_x + 1 if x[t] == x[t - 1] else 1
        run_y = run_y + 1 if y[t] == y[t - 1] else 1
        one, other = x[t] - state[0], y[t] - state[1]
        if one == one and other == other:
            state[2] += one
            state[3] += other
            state[4] += one * one
            state[5] += other * other
            state[6] += one * other
            seen += 1
        one, other = x[t - window] - state[0], y[t - window] - state[1]
        if one == one and other == other:
            state[2] -= one
            state[3] -= other
            state[4] -= one * one
            state[5] -= other * other
            state[6] -= one * other
            seen -= 1
        state[7] = max(state[7], state[4])
        state[8] = max(state[8], state[5])
        spread_x = state[4] - state[2] * state[2] * share
        spread_y = state[5] - state[3] * state[3] * share
        thin = (spread_x < SHRUNK * state[7] and run_x < window) or (
            spread_y < SHRUNK * state[8] and run_y < window
        )
        if phase == 0 or (thin and seen == window):
            products_afresh(x, y, 0, t, window, state)
            spread_x = state[4] - state[2] * state[2] * share
            spread_y = state[5] - state[3] * state[3] * share
        phase = phase + 1 if phase + 1 < window else 0
        product = state[6] - state[2] * state[3] * share
        if seen < window or run_x >= window or run_y >= window:
            out[t] = math.nan
            continue
        found = (
            finite(product / math.sqrt(spread_x * spread_y))
            if spread_x * spread_y > 0.0
            else math.nan
        )
        found = 1.0 if found > 1.0 else found
        out[t] = -1.0 if found < -1.0 else found
    ints[0], ints[1], ints[2] = seen, run_x, run_y
