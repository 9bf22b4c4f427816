"""Loops that the rolling ops share: sliding sums of squares and products, restarted exactly.

Second moments are kept about a reference inside the window; they are restarted
(a) at absolute rows that divide by the window, so neither age nor the cut of the stream matters,
and (b) when they have shrunk so far below what they held since the restart that their leading
digits are gone. (b) happens about once per jump and costs a window each time. A window of equal
values always comes out with a spread of exactly 0.
"""

from __future__ import annotations

import math
from typing import Any

from qf.missing import any_missing

# The share of the largest sum of squares since the restart below which digits are too few.
SHRUNK = 1e-4
# A stretch between restarts is whole windows: few, so that the reference stays near, and at most
# so many rows as long as a window is shorter.
WINDOWS, STRETCH = 8, 1024
VARIANCE, DEVIATION, ZSCORE = 0, 1, 2
COVARIANCE, CORRELATION = 0, 1


def centred(rows: list[float]) -> list[float]:
    """Return the rows less their mean (definitions call this); equal rows give exact zeros."""
    gaps = [value - rows[-1] for value in rows]
    mean = math.fsum(gaps) / len(gaps)
    return [gap - mean for gap in gaps]


def correlation_of(one: list[float], other: list[float]) -> float:
    """Return Pearson's correlation, missing where one side is (definitions call this)."""
    if any_missing(one, other):
        return math.nan
    one, other = centred(one), centred(other)
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    spread = math.fsum(a * a for a in one) * math.fsum(b * b for b in other)
    return max(-1.0, min(1.0, product / math.sqrt(spread))) if spread > 0.0 else math.nan


def _about(x: Any, t: int, window: int, reference: float, state: Any) -> None:
    """Sum differences and squares in four lanes: the additions do not wait for each other."""
    a = b = c = d = 0.0
    p = q = r = s = 0.0
    i = t - window + 1
    while i + 3 <= t:
        gap = x[i] - reference
        a += gap
        p += gap * gap
        gap = x[i + 1] - reference
        b += gap
        q += gap * gap
        gap = x[i + 2] - reference
        c += gap
        r += gap * gap
        gap = x[i + 3] - reference
        d += gap
        s += gap * gap
        i += 4
    while i <= t:
        gap = x[i] - reference
        a += gap
        p += gap * gap
        i += 1
    state[0] = reference
    state[1] = (a + b) + (c + d)
    state[2] = (p + q) + (r + s)


def squares_afresh(x: Any, t: int, window: int, state: Any) -> None:
    """Sum a full window into state: 0 reference, 1 sum, 2 sum of squares, 3 when too few are left.

    The reference is the newest value, or where that is far out the mean.
    """
    _about(x, t, window, x[t], state)
    if state[2] - state[1] * state[1] / window < SHRUNK * state[2]:
        _about(x, t, window, x[t] + state[1] / window, state)
    state[3] = SHRUNK * state[2]


def squares_of_known(
    x: Any, t: int, stop: int, window: int, lag: int, kind: int, out: Any, state: Any
) -> bool:  # fmt: skip
    """Slide over rows t..stop-1 as if all were known and no digits ran out; say whether so.

    Then state is theirs, bit for bit what the careful loop leaves; else it is as it was.
    """
    share, free = 1.0 / window, 1.0 / (window - 1)
    reference, total, squares = state[0], state[1], state[2]
    least, most = math.inf, 0.0
    for i in range(t, stop):
        new = x[i - lag] - reference
        old = x[i - lag - window] - reference
        step = new - old
        squares += step * (new + old)
        total += step
        mean = total * share
        spread = squares - total * mean
        least = spread if spread < least else least
        most = squares if squares > most else most
        if kind == VARIANCE:
            out[i] = spread * free
        elif kind == DEVIATION:
            out[i] = math.sqrt(max(spread, 0.0) * free)
        else:
            gap = (x[i] - reference) - mean
            value = gap / math.sqrt(spread * free) if spread > 0.0 else 0.0 * x[i]
            out[i] = value if value - value == 0.0 else math.nan
    few = max(state[3], SHRUNK * most)
    if total - total == 0.0 and most < math.inf and least >= few:
        state[1], state[2], state[3] = total, squares, few
        return True
    return False


def slide_squares(
    x: Any, lo: int, hi: int, window: int, lag: int, kind: int, out: Any, state: Any, ints: Any
) -> None:
    """Write variance, deviation or z-score of the `window` rows that end `lag` rows ago.

    Missing unless all of them, and for a z-score the row itself, are known. state as in
    `squares_afresh`; ints: 0 known rows inside, 1 rows left until the restart by number.
    """
    share, free = 1.0 / window, 1.0 / (window - 1)
    seen, left = ints[0], ints[1]
    t = lo
    while t < hi:
        stop = min(hi, t + left)
        if left == 0:  # an absolute row that divides by this many
            left = window * max(1, min(WINDOWS, STRETCH // window))
            state[3] = math.inf
            stop = t + 1
        left -= stop - t
        if seen == window and squares_of_known(x, t, stop, window, lag, kind, out, state):
            t = stop
        while t < stop:
            new = x[t - lag]
            old = x[t - lag - window]
            whole = seen == window and new == new
            seen += (1 if new == new else 0) - (1 if old == old else 0)
            if seen < window:
                out[t] = math.nan
                t += 1
                continue
            if whole:
                new -= state[0]
                step = new - (old - state[0])
                state[2] += step * (new + (old - state[0]))
                state[1] += step
            else:
                state[3] = math.inf
            spread = state[2] - state[1] * (state[1] * share)
            state[3] = max(state[3], SHRUNK * state[2])
            if not spread >= state[3]:
                squares_afresh(x, t - lag, window, state)
                spread = max(state[2] - state[1] * (state[1] * share), 0.0)
            if kind == VARIANCE:
                value = spread * free
            elif kind == DEVIATION:
                value = math.sqrt(spread * free)
            else:
                gap = (x[t] - state[0]) - state[1] * share
                value = gap / math.sqrt(spread * free) if spread > 0.0 else 0.0 * x[t]
            out[t] = value if value - value == 0.0 else math.nan
            t += 1
    ints[0], ints[1] = seen, left


def products_afresh(x: Any, y: Any, lag: int, t: int, window: int, state: Any) -> None:
    """Sum the full window of pairs (x[i], y[i - lag]) into state, about their newest or means.

    0, 1 references; 2, 3 sums; 4, 5 sums of squares; 6 sum of products; 7, 8 when too few of the
    squares are left.
    """
    _about(y, t - lag, window, y[t - lag], state)
    if state[2] - state[1] * state[1] / window < SHRUNK * state[2]:
        _about(y, t - lag, window, y[t - lag] + state[1] / window, state)
    far, total, squares = state[0], state[1], state[2]
    _about(x, t, window, x[t], state)
    if state[2] - state[1] * state[1] / window < SHRUNK * state[2]:
        _about(x, t, window, x[t] + state[1] / window, state)
    near = state[0]
    product = 0.0
    even = 0.0
    i = t - window + 1
    while i + 1 <= t:
        even += (x[i] - near) * (y[i - lag] - far)
        product += (x[i + 1] - near) * (y[i + 1 - lag] - far)
        i += 2
    if i <= t:
        even += (x[i] - near) * (y[i - lag] - far)
    state[4], state[7] = state[2], SHRUNK * state[2]
    state[5], state[8] = squares, SHRUNK * squares
    state[2], state[3], state[6] = state[1], total, product + even
    state[0], state[1] = near, far


def products_of_known(
    x: Any, y: Any, lag: int, t: int, stop: int, window: int, kind: int, out: Any, state: Any
) -> bool:  # fmt: skip
    """Slide over rows t..stop-1 as `squares_of_known` does, for pairs."""
    share, free = 1.0 / window, 1.0 / (window - 1)
    near, far, total_x, total_y = state[0], state[1], state[2], state[3]
    squares_x, squares_y, product = state[4], state[5], state[6]
    least_x, least_y, most_x, most_y = math.inf, math.inf, 0.0, 0.0
    for i in range(t, stop):
        one, other = x[i] - near, y[i - lag] - far
        old_one, old_other = x[i - window] - near, y[i - window - lag] - far
        step_x, step_y = one - old_one, other - old_other
        total_x += step_x
        total_y += step_y
        squares_x += step_x * (one + old_one)
        squares_y += step_y * (other + old_other)
        product += one * other - old_one * old_other
        mean = total_x * share
        spread_x = squares_x - total_x * mean
        spread_y = squares_y - total_y * (total_y * share)
        least_x = spread_x if spread_x < least_x else least_x
        least_y = spread_y if spread_y < least_y else least_y
        most_x = squares_x if squares_x > most_x else most_x
        most_y = squares_y if squares_y > most_y else most_y
        value = product - total_y * mean
        if kind == COVARIANCE:
            out[i] = value * free
        else:
            out[i] = correlation(value, spread_x * spread_y)
    few_x, few_y = max(state[7], SHRUNK * most_x), max(state[8], SHRUNK * most_y)
    known = total_x - total_x == 0.0 and total_y - total_y == 0.0
    finite_squares = most_x < math.inf and most_y < math.inf
    if known and finite_squares and least_x >= few_x and least_y >= few_y:
        state[2], state[3], state[4], state[5] = total_x, total_y, squares_x, squares_y
        state[6], state[7], state[8] = product, few_x, few_y
        return True
    return False


def correlation(product: float, spreads: float) -> float:
    """Return product / sqrt(spreads), missing where the spreads are not above 0."""
    if spreads > 0.0:
        return min(max(product / math.sqrt(spreads), -1.0), 1.0)
    return math.nan


def slide_products(
    x: Any, y: Any, lag: int, lo: int, hi: int, window: int, kind: int,
    out: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write covariance or correlation of the last `window` pairs (x[i], y[i - lag]).

    Missing unless all are known; a correlation also where one side is constant. state as in
    `products_afresh`; ints: 0 known pairs inside, 1 rows left until the restart by number.
    """
    share, free = 1.0 / window, 1.0 / (window - 1)
    seen, left = ints[0], ints[1]
    t = lo
    while t < hi:
        stop = min(hi, t + left)
        if left == 0:  # an absolute row that divides by this many
            left = window * max(1, min(WINDOWS, STRETCH // window))
            state[7] = math.inf
            stop = t + 1
        left -= stop - t
        if seen == window and products_of_known(x, y, lag, t, stop, window, kind, out, state):
            t = stop
        while t < stop:
            one, other = x[t], y[t - lag]
            old_one, old_other = x[t - window], y[t - window - lag]
            known = one == one and other == other
            whole = seen == window and known
            seen += 1 if known else 0
            seen -= 1 if old_one == old_one and old_other == old_other else 0
            if seen < window:
                out[t] = math.nan
                t += 1
                continue
            if whole:
                one, old_one = one - state[0], old_one - state[0]
                other, old_other = other - state[1], old_other - state[1]
                state[2] += one - old_one
                state[3] += other - old_other
                state[4] += (one - old_one) * (one + old_one)
                state[5] += (other - old_other) * (other + old_other)
                state[6] += one * other - old_one * old_other
            else:
                state[7] = math.inf
            spread_x = state[4] - state[2] * (state[2] * share)
            spread_y = state[5] - state[3] * (state[3] * share)
            state[7] = max(state[7], SHRUNK * state[4])
            state[8] = max(state[8], SHRUNK * state[5])
            if not (spread_x >= state[7] and spread_y >= state[8]):
                products_afresh(x, y, lag, t, window, state)
                spread_x = max(state[4] - state[2] * (state[2] * share), 0.0)
                spread_y = max(state[5] - state[3] * (state[3] * share), 0.0)
            value = state[6] - state[3] * (state[2] * share)
            value = value * free if kind == COVARIANCE else correlation(value, spread_x * spread_y)
            out[t] = value if value - value == 0.0 else math.nan
            t += 1
    ints[0], ints[1] = seen, left
