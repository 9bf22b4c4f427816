"""Loops that the time-window ops share: a ring of the last rows' values and times in flat state.

The ring holds up to `room` rows: values in state[8..], times in ints[8..], row r at place
r % room. Words: ints[0] the oldest row inside the window, ints[1] the rows without a value
inside, ints[2] the time of the newest row that left for want of room, ints[3] whether one did.
"""

from __future__ import annotations

from typing import Any

FIRST = 8  # words of state and of ints before the ring


def leaves(ints: Any, room: int, row: int, start: int) -> bool:
    """Say whether the oldest row leaves before `row` enters a window of the times after `start`."""
    oldest = ints[0]
    if oldest >= row:
        return False
    return ints[FIRST + oldest % room] <= start or row - oldest >= room


def drop_oldest(state: Any, ints: Any, room: int, start: int) -> float:
    """Take the oldest row out and return its value; remember it if it left for want of room."""
    place = ints[0] % room
    value = state[FIRST + place]
    if value != value:
        ints[1] -= 1
    if ints[FIRST + place] > start:
        ints[2] = ints[FIRST + place]
        ints[3] = 1
    ints[0] += 1
    return value


def enter(state: Any, ints: Any, room: int, row: int, value: float, now: int) -> None:
    """Put the newest row in."""
    place = row % room
    state[FIRST + place] = value
    ints[FIRST + place] = now
    if value != value:
        ints[1] += 1


def is_short(ints: Any, start: int) -> int:
    """Return 1 while a row that left for want of room would still be inside, else 0."""
    return 1 if ints[3] == 1 and ints[2] > start else 0
