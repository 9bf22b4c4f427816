"""Rescaled range (R/S) over the last `window` values: the Hurst exponent, plain and corrected.

The window is cut, from its oldest row, into stretches of 8, 16, 32 … rows; R is the range of a
stretch's cumulated deviations from its mean, S its deviation (divided by the rows). The exponent
is the slope of ln(mean R/S) against ln(rows). A stretch that does not move is left out.
"""

from __future__ import annotations

import math
from typing import Any

from qf.missing import any_missing

SHORTEST = 8  # rows of the shortest stretch; each next length is twice the one before
LENGTHS = 10  # at most: 8 … 4096


def expected_range(rows: int) -> float:
    """Return the mean R/S of an even number of independent normal values.

    Source: Anis, Lloyd (1976), Biometrika 63(1), 111-116.
    """
    total = 0.0
    for i in range(1, rows):
        total += math.sqrt((rows - i) / i)
    gammas = 1.0  # gamma((rows - 1) / 2) / (sqrt(pi) gamma(rows / 2)), by its recurrence
    for i in range(2, rows, 2):
        gammas *= (i - 1.0) / i
    return (rows - 0.5) / rows * gammas * total


def slope_through(xs: list[float], ys: list[float]) -> float:
    """Return the least-squares slope (definitions call this)."""
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    above = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return above / math.fsum((x - mean_x) ** 2 for x in xs)


def hurst_of(rows: list[float], corrected: int) -> float:
    """Return the exponent of the rows, missing where one is (definitions call this)."""
    if any_missing(rows):
        return math.nan
    xs: list[float] = []
    ys: list[float] = []
    length = SHORTEST
    while length <= len(rows):
        ratios = []
        for first in range(0, len(rows) - length + 1, length):
            stretch = [value - rows[first] for value in rows[first : first + length]]
            mean = math.fsum(stretch) / length
            sums = [math.fsum(stretch[: k + 1]) - (k + 1) * mean for k in range(length)]
            square = math.fsum((value - mean) ** 2 for value in stretch)
            if square > 0.0:
                spread = max(0.0, *sums) - min(0.0, *sums)
                ratios.append(spread / math.sqrt(square / length))
        if not ratios:
            return math.nan
        xs.append(math.log(length))
        ys.append(math.log(math.fsum(ratios) / len(ratios)))
        if corrected:
            ys[-1] += 0.5 * xs[-1] - math.log(expected_range(length))
        length *= 2
    return slope_through(xs, ys)


def ratio_of(x: Any, start: int, length: int) -> float:
    """Return R/S of the stretch of `length` rows from row `start`; -1 where it does not move."""
    near = x[start]
    mean = 0.0
    for i in range(start, start + length):
        mean += x[i] - near
    mean /= length
    run, low, high, square = 0.0, 0.0, 0.0, 0.0
    for i in range(start, start + length):
        gap = (x[i] - near) - mean
        run += gap
        square += gap * gap
        low = min(low, run)
        high = max(high, run)
    return (high - low) / math.sqrt(square / length) if square > 0.0 else -1.0


def mean_ratio(state: Any, ring: int, place: int, window: int, length: int) -> float:
    """Return the mean R/S of the window's stretches, the newest at `place`; 0 where none moves."""
    total = 0.0
    used = 0
    at = place - (window // length - 1) * length
    for _ in range(window // length):
        ratio = state[ring + (at if at >= 0 else at + window)]
        at += length
        if ratio >= 0.0:
            total += ratio
            used += 1
    return total / used if used > 0 else 0.0


def exponent(window: int, corrected: int, place: int, state: Any) -> float:
    """Return the exponent of the window whose newest stretches are at `place` of the rings."""
    n, sum_x, sum_y, square_x, product = 0, 0.0, 0.0, 0.0, 0.0
    length = SHORTEST
    while length <= window:
        ratio = mean_ratio(state, LENGTHS + n * window, place, window, length)
        if not ratio > 0.0:
            return math.nan
        one, other = math.log(length), math.log(ratio)
        if corrected:
            other += 0.5 * one - state[n]
        n += 1
        sum_x += one
        sum_y += other
        square_x += one * one
        product += one * other
        length *= 2
    value = (n * product - sum_x * sum_y) / (n * square_x - sum_x * sum_x)
    return value if value - value == 0.0 else math.nan


def slots_of(window: int) -> int:
    """Return the words of state of a window: a ring of its rows for each length."""
    return LENGTHS + int(math.log2(window / SHORTEST) + 1.0) * window


def slide_hurst(
    x: Any, lo: int, hi: int, window: int, corrected: int, out: Any, state: Any, ints: Any
) -> None:
    """Write the exponent of the last `window` rows; missing unless all are known.

    A row moves every stretch along by one, so of each length only the newest is new; the others
    were it, whole lengths of rows ago, and are kept in a ring. state: ln of the expected R/S by
    length, then the rings. ints: 0 known rows in a row, 1 whether the first is filled, 2 the
    place in the rings.
    """
    if ints[1] == 0:
        ints[1] = 1
        n, length = 0, SHORTEST
        while length <= window:
            state[n] = math.log(expected_range(length))
            n += 1
            length *= 2
    known, place = ints[0], ints[2]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] else 0
        ring, length = LENGTHS, SHORTEST
        while length <= window:
            state[ring + place] = ratio_of(x, t + 1 - window % length - length, length)
            ring += window
            length *= 2
        out[t] = exponent(window, corrected, place, state) if known >= window else math.nan
        place = place + 1 if place + 1 < window else 0
    ints[0], ints[2] = known, place
