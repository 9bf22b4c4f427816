"""A sorted window in flat state: find, and replace one value by another."""

from __future__ import annotations

from typing import Any


def place_of(values: Any, count: int, value: float) -> int:
    """Return the first place in values[0..count-1] (ascending) that is not below `value`."""
    low = 0
    high = count
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def slide(values: Any, count: int, old: float, new: float) -> int:
    """Take `old` out and put `new` in, where they are not missing; return the new count."""
    if old == old:
        leave = place_of(values, count, old)
        if new == new:
            enter = place_of(values, count, new)
            if enter > leave:
                for k in range(leave, enter - 1):
                    values[k] = values[k + 1]
                values[enter - 1] = new
            else:
                for k in range(leave, enter, -1):
                    values[k] = values[k - 1]
                values[enter] = new
            return count
        for k in range(leave, count - 1):
            values[k] = values[k + 1]
        return count - 1
    if new == new:
        enter = place_of(values, count, new)
        for k in range(count, enter, -1):
            values[k] = values[k - 1]
        values[enter] = new
        return count + 1
    return count


def middle_gap(values: Any, count: int, centre: float) -> float:
    """Return the median distance of values[0..count-1] (ascending) from `centre` (their median).

    The distances grow outwards from the middle on both sides, so the smallest half is found by
    walking out.
    """
    right = place_of(values, count, centre)
    left = right - 1
    before = 0.0
    gap = 0.0
    for _ in range(count // 2 + 1):
        before = gap
        if left < 0 or (right < count and values[right] - centre <= centre - values[left]):
            gap = values[right] - centre
            right += 1
        else:
            gap = centre - values[left]
            left -= 1
    return gap if count % 2 == 1 else 0.5 * (before + gap)
