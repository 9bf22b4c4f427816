"""Second moments over time windows: sliding sums about a reference, restarted exactly.

As moments.py does over rows: sums restart at absolute rows that divide by 1,024 and where they have
shrunk so far that their leading digits are gone. A window of equal values has a spread of
exactly 0.
"""

from __future__ import annotations

import math
from typing import Any

from qf.missing import finite
from qf.moments import COVARIANCE, DEVIATION, SHRUNK, VARIANCE, correlation
from qf.ring import AFRESH, FIRST, drop_oldest, enter, is_short, leaves

PAIR_WORDS = 9  # words of state after the two rings of a pair


def squares_inside(state: Any, ints: Any, room: int, rows: int, reference: float) -> None:
    """Sum the ring's rows about `reference` into state: 0 the reference, 1 gaps, 2 squares."""
    total, squares = 0.0, 0.0
    place = ints[4]
    for _ in range(rows):
        gap = state[FIRST + place] - reference
        place = place + 1 if place + 1 < room else 0
        total += gap
        squares += gap * gap
    state[0], state[1], state[2] = reference, total, squares


def slide_squares_in_time(
    x: Any, time: Any, lo: int, hi: int, row: int, kind: int,
    out: Any, window_full: Any, params: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write variance, deviation or z-score of each row's time window.

    Missing while a row inside is, and while there are fewer than two. state: 0 the reference,
    1 the sum of gaps from it, 2 of their squares, 3 when too few of the squares are left.
    """
    window, room = int(params[0]), int(params[1])
    for t in range(lo, hi):
        at = row + t - lo
        start = time[t] - window
        while leaves(ints, room, at, start):
            old = drop_oldest(state, ints, room, start)
            if old == old:
                state[1] -= old - state[0]
                state[2] -= (old - state[0]) * (old - state[0])
        enter(state, ints, room, x[t], time[t])
        if x[t] == x[t]:
            state[1] += x[t] - state[0]
            state[2] += (x[t] - state[0]) * (x[t] - state[0])
        if at % AFRESH == 0:
            state[3] = math.inf
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        rows = at - ints[0] + 1
        if ints[1] > 0 or rows < 2:
            continue
        spread = state[2] - state[1] * (state[1] / rows)
        state[3] = max(state[3], SHRUNK * state[2])
        if not spread >= state[3]:
            squares_inside(state, ints, room, rows, x[t])
            if state[2] - state[1] * (state[1] / rows) < SHRUNK * state[2]:
                squares_inside(state, ints, room, rows, x[t] + state[1] / rows)
            state[3] = SHRUNK * state[2]
            spread = max(state[2] - state[1] * (state[1] / rows), 0.0)
        if kind == VARIANCE:
            out[t] = finite(spread / (rows - 1))
        elif kind == DEVIATION:
            out[t] = finite(math.sqrt(spread / (rows - 1)))
        elif spread > 0.0:
            gap = (x[t] - state[0]) - state[1] / rows
            out[t] = finite(gap / math.sqrt(spread / (rows - 1)))
        else:
            out[t] = finite(0.0 * x[t])


def products_inside(
    state: Any, ints: Any, room: int, rows: int, near: float, far: float
) -> None:  # fmt: skip
    """Sum the pairs inside about (near, far) into the words after the rings.

    0, 1 references; 2, 3 sums; 4, 5 sums of squares; 6 sum of products; 7, 8 when too few of the
    squares are left.
    """
    words = FIRST + 2 * room
    total_x, total_y, squares_x, squares_y, product = 0.0, 0.0, 0.0, 0.0, 0.0
    place = ints[4]
    for _ in range(rows):
        one, other = state[FIRST + place] - near, state[FIRST + room + place] - far
        place = place + 1 if place + 1 < room else 0
        total_x += one
        total_y += other
        squares_x += one * one
        squares_y += other * other
        product += one * other
    state[words], state[words + 1] = near, far
    state[words + 2], state[words + 3] = total_x, total_y
    state[words + 4], state[words + 5], state[words + 6] = squares_x, squares_y, product


def add_pair(state: Any, words: int, one: float, other: float, sign: float) -> None:
    """Add a known pair to the sums, or with sign -1 take it out; a missing one changes nothing."""
    if one == one:
        one, other = one - state[words], other - state[words + 1]
        state[words + 2] += sign * one
        state[words + 3] += sign * other
        state[words + 4] += sign * (one * one)
        state[words + 5] += sign * (other * other)
        state[words + 6] += sign * (one * other)


def enter_pair(state: Any, ints: Any, room: int, one: float, other: float, now: int) -> None:
    """Put the newest pair into both rings; a pair of which one is missing is missing."""
    known = one == one and other == other
    place = enter(state, ints, room, one if known else math.nan, now)
    state[FIRST + room + place] = other if known else math.nan


def slide_products_in_time(
    x: Any, y: Any, time: Any, lo: int, hi: int, row: int, kind: int,
    out: Any, window_full: Any, params: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write covariance or correlation of each row's time window.

    Missing while a pair inside is, while there are fewer than two, and a correlation where one
    side is constant.
    """
    window, room = int(params[0]), int(params[1])
    words = FIRST + 2 * room
    for t in range(lo, hi):
        at = row + t - lo
        start = time[t] - window
        while leaves(ints, room, at, start):
            other = state[FIRST + room + ints[4]]
            add_pair(state, words, drop_oldest(state, ints, room, start), other, -1.0)
        enter_pair(state, ints, room, x[t], y[t], time[t])
        if x[t] == x[t] and y[t] == y[t]:
            add_pair(state, words, x[t], y[t], 1.0)
        if at % AFRESH == 0:
            state[words + 7] = math.inf
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        rows = at - ints[0] + 1
        if ints[1] > 0 or rows < 2:
            continue
        share = 1.0 / rows
        spread_x = state[words + 4] - state[words + 2] * (state[words + 2] * share)
        spread_y = state[words + 5] - state[words + 3] * (state[words + 3] * share)
        state[words + 7] = max(state[words + 7], SHRUNK * state[words + 4])
        state[words + 8] = max(state[words + 8], SHRUNK * state[words + 5])
        if not (spread_x >= state[words + 7] and spread_y >= state[words + 8]):
            products_inside(state, ints, room, rows, x[t], y[t])
            near, far = x[t], y[t]
            spread_x = state[words + 4] - state[words + 2] * (state[words + 2] * share)
            spread_y = state[words + 5] - state[words + 3] * (state[words + 3] * share)
            if spread_x < SHRUNK * state[words + 4]:
                near += state[words + 2] * share
            if spread_y < SHRUNK * state[words + 5]:
                far += state[words + 3] * share
            if near != x[t] or far != y[t]:
                products_inside(state, ints, room, rows, near, far)
            state[words + 7] = SHRUNK * state[words + 4]
            state[words + 8] = SHRUNK * state[words + 5]
            spread_x = max(state[words + 4] - state[words + 2] * (state[words + 2] * share), 0.0)
            spread_y = max(state[words + 5] - state[words + 3] * (state[words + 3] * share), 0.0)
        value = state[words + 6] - state[words + 3] * (state[words + 2] * share)
        if kind == COVARIANCE:
            out[t] = finite(value / (rows - 1))
        else:
            out[t] = finite(correlation(value, spread_x * spread_y))
