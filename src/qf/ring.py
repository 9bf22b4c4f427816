"""Loops that the time-window ops share: a ring of the last rows' values and times in flat state.

The ring holds up to `room` rows: values in state[FIRST..], times in ints[FIRST..]. Words of ints:
0 the oldest row inside the window, 1 the rows without a value inside, 2 the time of the newest
row that left for want of room, 3 whether one did, 4 the place of the oldest row, 5 the place of
the next. Places wrap by comparing: a division would cost more than all the rest.
"""

from __future__ import annotations

import math
from typing import Any

from qf.extremes import farther
from qf.missing import finite
from qf.sums import lost

FIRST = 8  # words of state and of ints before the ring
AFRESH = 1024  # a sum starts afresh at absolute rows that divide by this


def leaves(ints: Any, room: int, row: int, start: int) -> bool:
    """Say whether the oldest row leaves before `row` enters a window of the times after `start`."""
    if ints[0] >= row:
        return False
    return ints[FIRST + ints[4]] <= start or row - ints[0] >= room


def drop_oldest(state: Any, ints: Any, room: int, start: int) -> float:
    """Take the oldest row out and return its value; remember it if it left for want of room."""
    place = ints[4]
    value = state[FIRST + place]
    if value != value:
        ints[1] -= 1
    if ints[FIRST + place] > start:
        ints[2] = ints[FIRST + place]
        ints[3] = 1
    ints[4] = place + 1 if place + 1 < room else 0
    ints[0] += 1
    return value


def enter(state: Any, ints: Any, room: int, value: float, now: int) -> int:
    """Put the newest row in and return its place."""
    place = ints[5]
    state[FIRST + place] = value
    ints[FIRST + place] = now
    if value != value:
        ints[1] += 1
    ints[5] = place + 1 if place + 1 < room else 0
    return place


def is_short(ints: Any, start: int) -> int:
    """Return 1 while a row that left for want of room would still be inside, else 0."""
    return 1 if ints[3] == 1 and ints[2] > start else 0


def slide_extreme_in_time(
    x: Any, time: Any, lo: int, hi: int, row: int, largest: int,
    out: Any, window_full: Any, params: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write the extreme of each row's time window; missing while a row inside is.

    After the ring, ints hold a queue of places, each with a value farther out than all after it
    (Lemire 2006, Nordic J. Computing 13(4), 328-339); words 6 and 7 are its head and its length.
    """
    window, room = int(params[0]), int(params[1])
    queue = FIRST + room
    head, count = ints[6], ints[7]
    for t in range(lo, hi):
        at = row + t - lo
        start = time[t] - window
        while leaves(ints, room, at, start):
            if count > 0 and ints[queue + head] == ints[4]:
                head = head + 1 if head + 1 < room else 0
                count -= 1
            drop_oldest(state, ints, room, start)
        place = enter(state, ints, room, x[t], time[t])
        if x[t] == x[t]:
            last = head + count if head + count < room else head + count - room
            while count > 0:
                before = last - 1 if last > 0 else room - 1
                if farther(x[t], state[FIRST + ints[queue + before]], largest) != x[t]:
                    break
                last = before
                count -= 1
            ints[queue + last] = place
            count += 1
        out[t] = state[FIRST + ints[queue + head]] if ints[1] == 0 else math.nan
        window_full[t] = is_short(ints, start)
    ints[6], ints[7] = head, count


def slide_sum_in_time(
    x: Any, time: Any, lo: int, hi: int, row: int, mean: int,
    out: Any, window_full: Any, params: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write the sum (or mean) of each row's time window; missing while a row inside is.

    state: 0 the sum, 1 what rounding took; ints: 6 rows in a row with this very value (a mean
    of equal values is that value).
    """
    window, room = int(params[0]), int(params[1])
    total, rest, run = state[0], state[1], ints[6]
    for t in range(lo, hi):
        at = row + t - lo
        start = time[t] - window
        while leaves(ints, room, at, start):
            old = drop_oldest(state, ints, room, start)
            if old == old:
                result = total - old
                rest += lost(total, -old, result)
                total = result
        enter(state, ints, room, x[t], time[t])
        if mean:
            run = run + 1 if x[t] == x[t - 1] else 1
        if x[t] == x[t]:
            result = total + x[t]
            rest += lost(total, x[t], result)
            total = result
        rows = at - ints[0] + 1
        if at % AFRESH == 0:
            total, rest = 0.0, 0.0
            place = ints[4]
            for _ in range(rows):
                value = state[FIRST + place]
                place = place + 1 if place + 1 < room else 0
                if value == value:
                    result = total + value
                    rest += lost(total, value, result)
                    total = result
        found = total + rest
        if mean:
            found = x[t] if run >= rows else found / rows
        out[t] = finite(found) if ints[1] == 0 else math.nan
        window_full[t] = is_short(ints, start)
    state[0], state[1], ints[6] = total, rest, run
