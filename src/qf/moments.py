"""Loops that the rolling ops share: exact restarts of sliding sums.

A sliding sum is kept as a sum and the rounding it has lost, so a huge value that has left the
window leaves nothing behind. Second moments are kept about a reference near the mean, and are
restarted exactly (a) at absolute rows that divide by the window, so neither age nor the cut of
the stream matters, and (b) when they have shrunk so far below what they held since the restart
that their leading digits are gone. (b) happens about once per jump: it costs a window each time.
"""

from __future__ import annotations

from typing import Any

# The share of the largest sum of squares since the restart below which digits are too few.
SHRUNK = 1e-4


def lost(total: float, added: float, result: float) -> float:
    """Return what rounding took from total + added = result (Knuth 1969, TAOCP 2, 4.2.2)."""
    back = result - total
    return (total - (result - back)) + (added - back)


def sum_afresh(x: Any, t: int, window: int, state: Any) -> None:
    """Sum the window that ends at row t into state: 0 the sum, 1 what rounding took."""
    total = 0.0
    rest = 0.0
    for i in range(t - window + 1, t + 1):
        if x[i] == x[i]:
            result = total + x[i]
            rest += lost(total, x[i], result)
            total = result
    state[0] = total
    state[1] = rest


def squares_afresh(x: Any, t: int, window: int, state: Any) -> None:
    """Sum about the mean into state: 0 reference, 1 sum, 2 sum of squares, 3 their peak."""
    total = 0.0
    count = 0
    for i in range(t - window + 1, t + 1):
        known = x[i] == x[i]
        total += x[i] if known else 0.0
        count += 1 if known else 0
    reference = total / count if count > 0 else 0.0
    total = 0.0
    squares = 0.0
    for i in range(t - window + 1, t + 1):
        gap = x[i] - reference if x[i] == x[i] else 0.0
        total += gap
        squares += gap * gap
    state[0] = reference
    state[1] = total
    state[2] = squares
    state[3] = squares


def products_afresh(x: Any, y: Any, lag: int, t: int, window: int, state: Any) -> None:
    """Sum pairs (x[i], y[i - lag]) about their means into state.

    0, 1 references; 2, 3 sums; 4, 5 sums of squares; 6 sum of products; 7, 8 the squares' peaks.
    """
    for k in range(9):
        state[k] = 0.0
    count = 0
    for i in range(t - window + 1, t + 1):
        if x[i] == x[i] and y[i - lag] == y[i - lag]:
            state[0] += x[i]
            state[1] += y[i - lag]
            count += 1
    if count > 0:
        state[0] /= count
        state[1] /= count
    for i in range(t - window + 1, t + 1):
        if x[i] == x[i] and y[i - lag] == y[i - lag]:
            one = x[i] - state[0]
            other = y[i - lag] - state[1]
            state[2] += one
            state[3] += other
            state[4] += one * one
            state[5] += other * other
            state[6] += one * other
    state[7] = state[4]
    state[8] = state[5]
