"""The values of a time window in ascending order, beside its ring: median and quantiles."""

from __future__ import annotations

import math
from typing import Any

from qf.ring import FIRST, drop_oldest, enter, is_short, leaves


def place_from(state: Any, first: int, count: int, value: float) -> int:
    """Return the first place from `first` on, of `count` ascending ones, not below `value`."""
    low, high = first, first + count
    while low < high:
        middle = (low + high) >> 1
        if state[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def take_out(state: Any, first: int, count: int, value: float) -> int:
    """Take a value out of the ascending ones, where it is not missing; return how many are left."""
    if value != value:
        return count
    for k in range(place_from(state, first, count, value), first + count - 1):
        state[k] = state[k + 1]
    return count - 1


def put_in(state: Any, first: int, count: int, value: float) -> int:
    """Put a value among the ascending ones, where it is not missing; return how many there are."""
    if value != value:
        return count
    place = place_from(state, first, count, value)
    for k in range(first + count, place, -1):
        state[k] = state[k - 1]
    state[place] = value
    return count + 1


def slide_sorted_in_time(
    x: Any, time: Any, lo: int, hi: int, row: int, window: int, room: int, q: float,
    out: Any, window_full: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write the value that a share `q` of each row's time window lies below.

    Missing while a row inside is. After the ring the state holds the known values in ascending
    order; ints: 6 how many.
    """
    first, count = FIRST + room, ints[6]
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            count = take_out(state, first, count, drop_oldest(state, ints, room, start))
        enter(state, ints, room, x[t], time[t])
        count = put_in(state, first, count, x[t])
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        if ints[1] == 0:
            place = (count - 1) * q
            lower = int(place)
            share = place - lower
            upper = lower + 1 if share > 0.0 else lower
            low, high = state[first + lower], state[first + upper]
            out[t] = low + share * (high - low)
    ints[6] = count
