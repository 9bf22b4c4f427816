"""Loops that the rolling ops share: sliding sums that are restarted exactly.

Sums keep the rounding they have lost beside them, so a huge value that has left the window leaves
nothing behind. Second moments are kept about a reference inside the window; they are restarted
(a) at absolute rows that divide by the window, so neither age nor the cut of the stream matters,
and (b) when they have shrunk so far below what they held since the restart that their leading
digits are gone. (b) happens about once per jump and costs a window each time. A window of equal
values always comes out with a spread of exactly 0.
"""

from __future__ import annotations

import math
from typing import Any

# The share of the largest sum of squares since the restart below which digits are too few.
SHRUNK = 1e-4
# Short windows restart at every so many rows at least (a multiple of the window).
STRETCH = 128
SUM_STRETCH = 1024  # sums lose nothing between restarts
VARIANCE, DEVIATION, ZSCORE = 0, 1, 2
COVARIANCE, CORRELATION = 0, 1


def lost(total: float, added: float, result: float) -> float:
    """Return what rounding took from total + added = result (Knuth 1969, TAOCP 2, 4.2.2)."""
    back = result - total
    return (total - (result - back)) + (added - back)


def sum_afresh(x: Any, t: int, window: int, state: Any) -> None:
    """Sum the full window that ends at row t into state: 0 the sum, 1 what rounding took."""
    total = 0.0
    rest = 0.0
    for i in range(t - window + 1, t + 1):
        result = total + x[i]
        rest += lost(total, x[i], result)
        total = result
    state[0] = total
    state[1] = rest


def slide_sum(
    x: Any, lo: int, hi: int, row: int, window: int, mean: bool, out: Any, state: Any, ints: Any
) -> None:
    """Write the sum (or mean) of the last `window` rows; missing unless all of them are known.

    state: sum, what rounding took; ints: known rows inside, rows in a row with this very value.
    """
    period = window * max(1, SUM_STRETCH // window)
    total, rest = state[0], state[1]
    seen, run = ints[0], ints[1]
    t = lo
    while t < hi:
        ahead = period - (row + t - lo) % period
        stop = min(hi, t + ahead)
        afresh = ahead == period
        while t < stop:
            new = x[t]
            if mean:
                run = run + 1 if new == x[t - 1] else 1
            if seen == window and new == new and not afresh:
                old = x[t - window]
                step = new - old
                result = total + step
                rest += lost(new, -old, step) + lost(total, step, result)
                total = result
            else:
                seen += 1 if new == new else 0
                seen -= 1 if x[t - window] == x[t - window] else 0
                if seen < window:
                    out[t] = math.nan
                    t += 1
                    continue
                sum_afresh(x, t, window, state)
                total, rest = state[0], state[1]
                afresh = False
            value = total + rest
            if mean:
                value = new if run >= window else value / window
            out[t] = value if value - value == 0.0 else math.nan
            t += 1
    state[0], state[1] = total, rest
    ints[0], ints[1] = seen, run


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


def slide_squares(
    x: Any, lo: int, hi: int, row: int, window: int, lag: int, kind: int,
    out: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write variance, deviation or z-score of the `window` rows that end `lag` rows ago.

    Missing unless all of them, and for a z-score the row itself, are known. state as in
    `squares_afresh`; ints: known rows inside.
    """
    share, free = 1.0 / window, 1.0 / (window - 1)
    period = window * max(1, STRETCH // window)
    reference, total, squares, few = state[0], state[1], state[2], state[3]
    seen = ints[0]
    t = lo
    while t < hi:
        ahead = period - (row - lag + t - lo) % period
        stop = min(hi, t + ahead)
        if ahead == period:
            few = math.inf
        while t < stop:
            new = x[t - lag]
            old = x[t - lag - window]
            if seen == window and new == new:
                new -= reference
                step = new - (old - reference)
                squares += step * (new + (old - reference))
                total += step
            else:
                seen += 1 if new == new else 0
                seen -= 1 if old == old else 0
                if seen < window:
                    out[t] = math.nan
                    t += 1
                    continue
                few = math.inf
            spread = squares - total * total * share
            few = few if few > SHRUNK * squares else SHRUNK * squares
            if not spread >= few:
                squares_afresh(x, t - lag, window, state)
                reference, total, squares, few = state[0], state[1], state[2], state[3]
                spread = max(squares - total * total * share, 0.0)
            if kind == VARIANCE:
                value = spread * free
            elif kind == DEVIATION:
                value = math.sqrt(spread * free)
            else:
                gap = (x[t] - reference) - total * share
                value = gap / math.sqrt(spread * free) if spread > 0.0 else 0.0 * x[t]
            out[t] = value if value - value == 0.0 else math.nan
            t += 1
    state[0], state[1], state[2], state[3] = reference, total, squares, few
    ints[0] = seen


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


def slide_products(
    x: Any, y: Any, lag: int, lo: int, hi: int, row: int, window: int, kind: int,
    out: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write covariance or correlation of the last `window` pairs (x[i], y[i - lag]).

    Missing unless all are known; a correlation also where one side is constant. state as in
    `products_afresh`; ints: known pairs inside.
    """
    share = 1.0 / window
    period = window * max(1, STRETCH // window)
    near, far = state[0], state[1]
    total_x, total_y, squares_x, squares_y, product = (
        state[2],
        state[3],
        state[4],
        state[5],
        state[6],
    )
    few_x, few_y = state[7], state[8]
    seen = ints[0]
    t = lo
    while t < hi:
        ahead = period - (row + t - lo) % period
        stop = min(hi, t + ahead)
        if ahead == period:
            few_x = math.inf
        while t < stop:
            one, other = x[t], y[t - lag]
            old_one, old_other = x[t - window], y[t - window - lag]
            if seen == window and one == one and other == other:
                one, other, old_one, old_other = (
                    one - near,
                    other - far,
                    old_one - near,
                    old_other - far,
                )
                total_x += one - old_one
                total_y += other - old_other
                squares_x += (one - old_one) * (one + old_one)
                squares_y += (other - old_other) * (other + old_other)
                product += one * other - old_one * old_other
            else:
                seen += 1 if one == one and other == other else 0
                seen -= 1 if old_one == old_one and old_other == old_other else 0
                if seen < window:
                    out[t] = math.nan
                    t += 1
                    continue
                few_x = math.inf
            spread_x = squares_x - total_x * total_x * share
            spread_y = squares_y - total_y * total_y * share
            few_x = few_x if few_x > SHRUNK * squares_x else SHRUNK * squares_x
            few_y = few_y if few_y > SHRUNK * squares_y else SHRUNK * squares_y
            if not (spread_x >= few_x and spread_y >= few_y):
                products_afresh(x, y, lag, t, window, state)
                near, far, total_x, total_y = state[0], state[1], state[2], state[3]
                squares_x, squares_y, product = state[4], state[5], state[6]
                few_x, few_y = state[7], state[8]
                spread_x = squares_x - total_x * total_x * share
                spread_y = squares_y - total_y * total_y * share
            value = product - total_x * total_y * share
            if kind == COVARIANCE:
                value /= window - 1
            elif spread_x > 0.0 and spread_y > 0.0 and spread_x * spread_y > 0.0:
                value /= math.sqrt(spread_x * spread_y)
                value = min(max(value, -1.0), 1.0)
            else:
                value = math.nan
            out[t] = value if value - value == 0.0 else math.nan
            t += 1
    state[0], state[1], state[2], state[3] = near, far, total_x, total_y
    state[4], state[5], state[6], state[7], state[8] = squares_x, squares_y, product, few_x, few_y
    ints[0] = seen
