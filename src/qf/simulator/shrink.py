"""Make a failing list of faults small: delta debugging, then the shortest time that still fails.

1. drop half of the faults, or another half, a quarter, … whatever still fails is kept
2. drop single faults until none can go
3. halve the time while it still fails

Source: Zeller and Hildebrandt (2002), Simplifying and isolating failure-inducing input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def smallest(items: Sequence[Item], fails: Callable[[list[Item]], bool], tries: int) -> list[Item]:
    """Return a part of the items that still fails and of which no single piece can go.

    At most `tries` runs are made; then the smallest part so far is returned. `items` must fail.
    """
    kept, pieces = list(items), 2
    while kept and tries > 0:
        size = -(-len(kept) // pieces)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            tries -= 1
            if fails(rest):
                kept, pieces = rest, max(pieces - 1, 2)
                break
            if tries <= 0:
                break
        else:
            if size == 1:
                break
            pieces = min(2 * pieces, len(kept))
    return kept


def shortest(length: float, least: float, fails: Callable[[float], bool]) -> float:
    """Return the shortest of length, length/2, length/4 … that still fails, not below `least`."""
    while length / 2 >= least and fails(length / 2):
        length /= 2
    return length
