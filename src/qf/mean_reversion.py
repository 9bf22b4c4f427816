"""The Ornstein-Uhlenbeck process through a window: its mean, its own deviation, its half-life.

    x[i] - x[i-1] = a + b x[i-1] + e,  least squares over the last `window` changes
    mean = -a / b,  deviation = sd(e) / sqrt(1 - (1 + b)^2),  half-life = -ln 2 / ln(1 + b)

sd(e) divides by window - 2. The deviation is the one of x in the long run, not of e: a score over
sd(e) is 1 / sqrt(1 - (1 + b)^2) times too wide, five times at b = -0.02. There is a fit where
-1 < b < 0, the half-life is within bounds and not above the window, and something is left to
explain. It is made at absolute rows that divide by `every` and holds until the next.
Source: Uhlenbeck, Ornstein (1930), Physical Review 36(5); exact discretisation as in Gillespie
(1996), Physical Review E 54(2), 2084-2091.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from qf.missing import any_missing
from qf.moments import centred
from qf.windows import per_window

SCORE, HALF_LIFE = 0, 1
EXACT_FIT = 1e-20  # the share of the changes' squares below which what is left is rounding
NO_SCORE = 1e-9  # below it a score is rounding, and 0: a path that has moved once sits at its mean


def fit_of(rows: list[float], shortest: float, longest: float) -> tuple[float, float, float]:
    """Return mean less newest row, deviation and half-life; missing where there is no fit."""
    none = (math.nan, math.nan, math.nan)
    if any_missing(rows):
        return none
    window = len(rows) - 1
    steps = [after - before for before, after in pairwise(rows)]
    levels, changes = centred(rows[:-1]), centred(steps)
    square = math.fsum(level * level for level in levels)
    if square == 0.0:
        return none
    b = math.fsum(u * v for u, v in zip(levels, changes, strict=True)) / square
    if not -1.0 < b < 0.0:
        return none
    left = math.fsum((v - b * u) ** 2 for u, v in zip(levels, changes, strict=True))
    half_life = -math.log(2.0) / math.log(1.0 + b)
    long = half_life > min(longest, float(window))
    if long or half_life < shortest or left <= EXACT_FIT * math.fsum(v * v for v in changes):
        return none
    level = math.fsum(value - rows[-1] for value in rows[:-1]) / window
    mean = level - math.fsum(steps) / window / b
    deviation = math.sqrt(left / (window - 2) / (1.0 - (1.0 + b) ** 2))
    return mean, deviation, half_life


def last_of(
    x: list[float], window: int, every: int, shortest: float, longest: float, kind: int
) -> float:
    """Return score or half-life at the newest row (definitions call this)."""
    end = (len(x) - 1) // every * every + 1
    if end <= window or x[-1] != x[-1]:
        return math.nan
    mean, deviation, half_life = fit_of(x[end - window - 1 : end], shortest, longest)
    if kind == HALF_LIFE:
        return half_life
    score = ((x[-1] - x[end - 1]) - mean) / deviation
    return 0.0 if abs(score) < NO_SCORE else score


def fitted(x: Any, window: int, every: int, shortest: float, longest: float, kind: int) -> Any:
    """Return the Polars expression of score or half-life."""
    import polars as pl

    near = x - x.last()
    level, after = near.head(window), near.tail(window)
    change = after - level
    u, v = level - level.mean(), change - change.mean()
    b = (u * v).sum() / (u * u).sum()
    left = (v - b * u).pow(2).sum()
    decay = 1.0 + b
    half_life = -math.log(2.0) / decay.log()
    good = (b > -1.0) & (b < 0.0) & (half_life <= min(longest, float(window)))
    good = good & (half_life >= shortest) & (left > EXACT_FIT * (v * v).sum())
    mean = level.mean() - change.mean() / b
    deviation = (left / (window - 2) / (1.0 - decay * decay)).sqrt()
    row = pl.int_range(pl.len())
    due = (row % every == 0) & (row >= window)
    full = x.is_not_null().cast(pl.Int64).rolling_sum(window + 1) == window + 1

    def held(value: Any) -> Any:
        """Return the value at the last row that was due; not a number where there was no fit."""
        found = per_window(pl.when(good).then(value).otherwise(math.nan), window + 1)
        found = pl.when(full).then(found.fill_null(math.nan)).otherwise(math.nan)
        return pl.when(due).then(found).forward_fill()

    if kind == HALF_LIFE:
        result = held(half_life)
    else:
        at = pl.when(due).then(x).forward_fill()
        score = ((x - at) - held(mean)) / held(deviation)
        result = pl.when(score.abs() < NO_SCORE).then(0.0).otherwise(score)
    return pl.when(x.is_not_null() & result.is_not_nan()).then(result)


def refit(x: Any, t: int, window: int, shortest: float, longest: float, state: Any) -> None:
    """Fit the `window` changes up to row t: state 0 x[t], 1 mean less that, 2 deviation, 3 life."""
    state[0], state[1], state[2], state[3] = x[t], math.nan, math.nan, math.nan
    newest, first = x[t], t - window
    level, change = 0.0, 0.0
    for i in range(first, t):
        level += x[i] - newest
        change += x[i + 1] - x[i]
    level /= window
    change /= window
    square, product, whole = 0.0, 0.0, 0.0
    for i in range(first, t):
        u = (x[i] - newest) - level
        v = (x[i + 1] - x[i]) - change
        square += u * u
        product += u * v
        whole += v * v
    if not square > 0.0:
        return
    b = product / square
    if not -1.0 < b < 0.0:
        return
    half_life = -math.log(2.0) / math.log(1.0 + b)
    if half_life > min(longest, float(window)) or half_life < shortest:
        return
    left = 0.0
    for i in range(first, t):
        gap = ((x[i + 1] - x[i]) - change) - b * ((x[i] - newest) - level)
        left += gap * gap
    if not left > EXACT_FIT * whole:
        return
    state[1] = level - change / b
    state[2] = math.sqrt(left / (window - 2) / (1.0 - (1.0 + b) * (1.0 + b)))
    state[3] = half_life


def slide_fit(
    x: Any, lo: int, hi: int, row: int, kind: int, out: Any, params: Any, state: Any, ints: Any
) -> None:
    """Write score or half-life of each row by the newest fit.

    params: window, every, shortest, longest; state as in `refit`; ints: 0 known rows in a row.
    """
    window, every = int(params[0]), int(params[1])
    known = ints[0]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] else 0
        at = row + t - lo
        if at < window:
            state[2] = math.nan
            state[3] = math.nan
        elif at % every == 0:
            state[2] = math.nan
            state[3] = math.nan
            if known > window:
                refit(x, t, window, params[2], params[3], state)
        value = state[3]
        if kind == SCORE:
            value = ((x[t] - state[0]) - state[1]) / state[2]
            value = 0.0 if abs(value) < NO_SCORE else value
        out[t] = value if known > 0 and value - value == 0.0 else math.nan
    ints[0] = known
