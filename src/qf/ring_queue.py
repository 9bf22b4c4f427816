"""A monotonic queue of places in a ring: the extreme of a window that grows and shrinks.

Each place holds a value farther out than all after it. From `queue` on, ints hold the head, the
length and then the places.
Source: Lemire (2006), Nordic J. Computing 13(4), 328-339.
"""

from __future__ import annotations

from typing import Any

from qf.extremes import farther
from qf.ring import FIRST


def oldest_leaves(ints: Any, queue: int, room: int) -> None:
    """Take the ring's oldest place out of the queue, where it is its head."""
    head = ints[queue]
    if ints[queue + 1] > 0 and ints[queue + 2 + head] == ints[4]:
        ints[queue] = head + 1 if head + 1 < room else 0
        ints[queue + 1] -= 1


def queue_in(state: Any, ints: Any, queue: int, room: int, place: int, largest: int) -> None:
    """Put a place of the ring, whose value is known, at the queue's end."""
    head, count = ints[queue], ints[queue + 1]
    last = head + count if head + count < room else head + count - room
    value = state[FIRST + place]
    while count > 0:
        before = last - 1 if last > 0 else room - 1
        if farther(value, state[FIRST + ints[queue + 2 + before]], largest) != value:
            break
        last = before
        count -= 1
    ints[queue + 2 + last] = place
    ints[queue + 1] = count + 1
