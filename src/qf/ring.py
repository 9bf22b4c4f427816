"""Loops that the time-window ops share: a ring of the last rows' values and times in flat state.

The ring holds up to `room` rows: values in state[FIRST..], times in ints[FIRST..]. Words of ints:
0 the oldest row inside the window, 1 the rows without a value inside, 2 the time of the newest
row that left for want of room, 3 whether one did, 4 the place of the oldest row, 5 the place of
the next. Places wrap by comparing: a division would cost more than all the rest.
"""

from __future__ import annotations

from typing import Any

FIRST = 8  # words of state and of ints before the ring


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
