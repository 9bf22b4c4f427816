"""Loops over time windows that are computed afresh: a row costs its window.

Nothing that has left a window leaves anything behind, so there is nothing to restart.
"""

from __future__ import annotations

import math
from typing import Any

from qf.missing import any_missing, finite
from qf.moments import centred, correlation
from qf.ring import FIRST, drop_oldest, enter, is_short, leaves
from qf.shapes import SKEW, unbiased
from qf.trends import SLOPE

SECOND = 1e-9  # of a ns


def slide_shape_in_time(
    x: Any, time: Any, lo: int, hi: int, row: int, kind: int,
    out: Any, window_full: Any, params: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write skewness or kurtosis of each row's time window.

    Missing while a row inside is, where all are equal, and while there are too few (three, or
    four). ints: 6 rows in a row with this very value.
    """
    window, room = int(params[0]), int(params[1])
    same = ints[6]
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            drop_oldest(state, ints, room, start)
        enter(state, ints, room, x[t], time[t])
        same = same + 1 if x[t] == x[t - 1] and same > 0 else 1
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        rows = row + t - lo - ints[0] + 1
        if ints[1] > 0 or rows < 3 + kind or same >= rows:
            continue
        total = 0.0
        place = ints[4]
        for _ in range(rows):
            total += state[FIRST + place] - x[t]
            place = place + 1 if place + 1 < room else 0
        square, power, mean = 0.0, 0.0, total / rows
        for _ in range(rows):
            place = place - 1 if place > 0 else room - 1
            gap = (state[FIRST + place] - x[t]) - mean
            square += gap * gap
            power += gap * gap * gap if kind == SKEW else (gap * gap) * (gap * gap)
        if square * square > 0.0:
            out[t] = finite(unbiased(rows, square, power, kind))
    ints[6] = same


def line_in_time(rows: list[float], times: list[int], kind: int) -> float:
    """Return slope per second or r2 of rows against their times (definitions call this)."""
    if any_missing(rows) or len(rows) < (2 if kind == SLOPE else 3):
        return math.nan
    seconds = centred([SECOND * (moment - times[-1]) for moment in times])
    gaps = centred(rows)
    steps = math.fsum(each * each for each in seconds)
    product = math.fsum(a * b for a, b in zip(seconds, gaps, strict=True))
    if steps == 0.0:
        return math.nan
    if kind == SLOPE:
        return product / steps
    square = math.fsum(gap * gap for gap in gaps)
    return min(1.0, product * product / (steps * square)) if square > 0.0 else math.nan


def slide_line_in_time(
    x: Any, time: Any, lo: int, hi: int, row: int, kind: int,
    out: Any, window_full: Any, params: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write slope per second or r2 of each row's time window against the rows' times.

    Missing while a row inside is, while there are fewer than two (r2: three) and while all have
    one time. ints: 6 rows in a row with this very value.
    """
    window, room = int(params[0]), int(params[1])
    same = ints[6]
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            drop_oldest(state, ints, room, start)
        enter(state, ints, room, x[t], time[t])
        same = same + 1 if x[t] == x[t - 1] and same > 0 else 1
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        rows = row + t - lo - ints[0] + 1
        oldest = ints[FIRST + ints[4]]
        if ints[1] > 0 or oldest == time[t] or rows < (2 if kind == SLOPE else 3):
            continue
        if same >= rows:
            out[t] = 0.0 if kind == SLOPE else math.nan
            continue
        total, seconds = 0.0, 0.0
        place = ints[4]
        for _ in range(rows):
            total += state[FIRST + place] - x[t]
            seconds += SECOND * (ints[FIRST + place] - time[t])
            place = place + 1 if place + 1 < room else 0
        product, square, steps = 0.0, 0.0, 0.0
        for _ in range(rows):
            place = place - 1 if place > 0 else room - 1
            gap = (state[FIRST + place] - x[t]) - total / rows
            step = SECOND * (ints[FIRST + place] - time[t]) - seconds / rows
            product += step * gap
            square += gap * gap
            steps += step * step
        if kind == SLOPE:
            out[t] = finite(product / steps)
        elif square > 0.0:
            out[t] = finite(min(1.0, product * product / (steps * square)))
    ints[6] = same


def slide_autocorr_in_time(
    x: Any, time: Any, lo: int, hi: int, row: int,
    out: Any, window_full: Any, params: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write the correlation of each row's time window with itself params[1] rows earlier.

    Missing while a row inside is, while there are fewer than two pairs, and where one stretch is
    constant.
    """
    window, lag, room = int(params[0]), int(params[1]), int(params[2])
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            drop_oldest(state, ints, room, start)
        enter(state, ints, room, x[t], time[t])
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        pairs = row + t - lo - ints[0] + 1 - lag
        if ints[1] > 0 or pairs < 2:
            continue
        last = ints[4] + pairs - 1
        far = state[FIRST + (last if last < room else last - room)]
        total_near, total_far = 0.0, 0.0
        place = ints[4]
        ahead = place + lag if place + lag < room else place + lag - room
        for _ in range(pairs):
            total_far += state[FIRST + place] - far
            total_near += state[FIRST + ahead] - x[t]
            place = place + 1 if place + 1 < room else 0
            ahead = ahead + 1 if ahead + 1 < room else 0
        mean_near, mean_far = total_near / pairs, total_far / pairs
        square_near, square_far, product = 0.0, 0.0, 0.0
        for _ in range(pairs):
            place = place - 1 if place > 0 else room - 1
            ahead = ahead - 1 if ahead > 0 else room - 1
            one = (state[FIRST + ahead] - x[t]) - mean_near
            other = (state[FIRST + place] - far) - mean_far
            square_near += one * one
            square_far += other * other
            product += one * other
        out[t] = finite(correlation(product, square_near * square_far))
