"""Detrended fluctuation over the last `window` values: the Hurst exponent that trends do not move.

The window is cut, from its oldest row, into boxes of 8, 16, 32 … rows, up to a quarter of it. In a
box the values are cumulated and the least-squares line is taken off; F^2 is the mean square that is
left, over all boxes. Independent values leave (m^2 - 4) / (15 m) times their variance in a box of m
rows, exactly: ln F is taken against that, so short boxes have no bias there. A box's first value
moves its whole path alike and its mean is a line: both are left out before sums are made, so that
a jump costs no digits where it leaves nothing.
Source: Peng et al. (1994), Physical Review E 49(2), 1685-1689; Kantelhardt et al. (2001), Physica A
295 (the correction, by simulation there).
"""

from __future__ import annotations

import math
from typing import Any

from qf.missing import any_missing
from qf.rescaled_range import slope_through

SHORTEST = 8  # rows of the shortest box; each next length is twice the one before
BOXES = 4  # of the longest length


def expected_residue(rows: int) -> float:
    """Return F^2 of a box of independent values of variance 1."""
    return (rows * rows - 4.0) / (15.0 * rows)


def detrended_of(rows: list[float]) -> float:
    """Return the exponent of the rows, missing where one is (definitions call this)."""
    if any_missing(rows):
        return math.nan
    xs: list[float] = []
    ys: list[float] = []
    length = SHORTEST
    while length * BOXES <= len(rows):
        left = []
        middle = (length - 1) / 2.0
        for first in range(0, len(rows) // length * length, length):
            box = [value - rows[first + 1] for value in rows[first + 1 : first + length]]
            mean = math.fsum(box) / len(box)
            path = [math.fsum(value - mean for value in box[:k]) for k in range(length)]
            level = math.fsum(path) / length
            steps = length * (length * length - 1.0) / 12.0
            slope = math.fsum((k - middle) * y for k, y in enumerate(path)) / steps
            left += [(y - level - slope * (k - middle)) ** 2 for k, y in enumerate(path)]
        square = math.fsum(left) / len(left)
        if not square > 0.0:
            return math.nan
        xs.append(math.log(length))
        ys.append(0.5 * (xs[-1] + math.log(square / expected_residue(length))))
        length *= 2
    return slope_through(xs, ys)


def residue(x: Any, first: int, length: int) -> float:
    """Return the sum of squares that the line leaves of one box's path."""
    near = x[first + 1]
    mean = 0.0
    for i in range(first + 1, first + length):
        mean += x[i] - near
    mean /= length - 1
    middle = (length - 1) / 2.0
    path, level, product = 0.0, 0.0, 0.0
    for k in range(1, length):
        path += (x[first + k] - near) - mean
        level += path
        product += (k - middle) * path
    level /= length
    slope = product / (length * (length * length - 1.0) / 12.0)
    path = 0.0
    gap = level - slope * middle  # of the first row, whose path is 0
    left = gap * gap
    for k in range(1, length):
        path += (x[first + k] - near) - mean
        gap = path - level - slope * (k - middle)
        left += gap * gap
    return left


def exponent_at(window: int, place: int, state: Any) -> float:
    """Return the exponent of the window whose newest boxes are at `place` of the rings."""
    n, sum_x, sum_y, square_x, product = 0, 0.0, 0.0, 0.0, 0.0
    length = SHORTEST
    while length * BOXES <= window:
        boxes = window // length
        total = 0.0
        at = place - (boxes - 1) * length
        for _ in range(boxes):
            total += state[n * window + (at if at >= 0 else at + window)]
            at += length
        total /= boxes * length
        if not total > 0.0:
            return math.nan
        one = math.log(length)
        other = 0.5 * (one + math.log(total / expected_residue(length)))
        n += 1
        sum_x += one
        sum_y += other
        square_x += one * one
        product += one * other
        length *= 2
    value = (n * product - sum_x * sum_y) / (n * square_x - sum_x * sum_x)
    return value if value - value == 0.0 else math.nan


def words_of(window: int) -> int:
    """Return the words of state of a window: a ring of its rows for each length."""
    return int(math.log2(window / SHORTEST / BOXES) + 1.0) * window


def slide_detrended(x: Any, lo: int, hi: int, window: int, out: Any, state: Any, ints: Any) -> None:
    """Write the exponent of the last `window` rows; missing unless all are known.

    A row moves every box along by one, so of each length only the newest is new; the others were
    it, whole lengths of rows ago, and are kept in a ring. ints: 0 known rows in a row, 1 the place
    in the rings.
    """
    known, place = ints[0], ints[1]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] else 0
        ring, length = 0, SHORTEST
        while length * BOXES <= window:
            state[ring + place] = residue(x, t + 1 - window % length - length, length)
            ring += window
            length *= 2
        out[t] = exponent_at(window, place, state) if known >= window else math.nan
        place = place + 1 if place + 1 < window else 0
    ints[0], ints[1] = known, place
