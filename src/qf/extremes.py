"""Loops that the range ops share: the smallest and the largest of the last rows.

A window is the tail of one block of `window` rows and the head of the next, so a row costs three
comparisons (van Herk 1992, Pattern Recognition Letters 13(7), 517-521). Blocks begin at absolute
rows. Comparisons skip missing rows; whether a window holds one is counted apart.
"""

from __future__ import annotations

import math
from typing import Any

LARGEST, SMALLEST = 1, 0


def farther(value: float, held: float, largest: int) -> float:
    """Return the larger (or the smaller) of the two; `held` where `value` is missing."""
    if largest:
        return value if value > held else held
    return value if value < held else held


def all_known(x: Any, start: int, stop: int) -> bool:
    """Say whether every row of start..stop-1 has a value."""
    unknown = 0
    for t in range(start, stop):
        unknown += 1 if x[t] != x[t] else 0
    return unknown == 0


def tails_of_extremes(x: Any, t: int, window: int, largest: int, state: Any, tails: int) -> None:
    """Store in state[tails + k] the extreme of rows k.. of the block of `window` rows before t.

    k = window stands for no rows. Where one of the rows is missing, so is the window's answer:
    what is stored does not matter.
    """
    first = t - window
    far = -math.inf if largest else math.inf
    state[tails + window] = far
    k = window - 4
    while k >= 0:
        d = x[first + k + 3]
        c = farther(x[first + k + 2], d, largest)
        b = farther(x[first + k + 1], c, largest)
        state[tails + k + 3] = farther(d, far, largest)
        state[tails + k + 2] = farther(c, far, largest)
        state[tails + k + 1] = farther(b, far, largest)
        far = farther(farther(x[first + k], b, largest), far, largest)
        state[tails + k] = far
        k -= 4
    for left in range(k + 3, -1, -1):
        far = farther(x[first + left], far, largest)
        state[tails + left] = far


def slide_extreme(
    x: Any, lo: int, hi: int, window: int, largest: int, out: Any, state: Any, ints: Any
) -> None:
    """Write the extreme of the last `window` rows; missing unless all of them are known.

    state: 0 the head, 1.. the tails. ints: 0 the row of the block, 1 known rows in a row.
    """
    head, phase, known = state[0], ints[0], ints[1]
    t = lo
    while t < hi:
        if phase == 0:
            head = -math.inf if largest else math.inf
            tails_of_extremes(x, t, window, largest, state, 1)
        stop = min(hi, t + window - phase)
        tail = 2 + phase - t
        phase = phase + stop - t if phase + stop - t < window else 0
        if known >= window - 1 and all_known(x, t, stop):
            known += stop - t
            while t + 4 <= stop:
                a = x[t]
                b = farther(x[t + 1], a, largest)
                c = farther(x[t + 2], b, largest)
                d = farther(x[t + 3], c, largest)
                out[t] = farther(farther(a, head, largest), state[tail + t], largest)
                out[t + 1] = farther(farther(b, head, largest), state[tail + t + 1], largest)
                out[t + 2] = farther(farther(c, head, largest), state[tail + t + 2], largest)
                head = farther(d, head, largest)
                out[t + 3] = farther(head, state[tail + t + 3], largest)
                t += 4
            while t < stop:
                head = farther(x[t], head, largest)
                out[t] = farther(head, state[tail + t], largest)
                t += 1
        while t < stop:
            known = known + 1 if x[t] == x[t] else 0
            head = farther(x[t], head, largest)
            out[t] = farther(head, state[tail + t], largest) if known >= window else math.nan
            t += 1
    state[0], ints[0], ints[1] = head, phase, known


def slide_place(x: Any, lo: int, hi: int, window: int, out: Any, state: Any, ints: Any) -> None:
    """Write where x lies between the extremes of the last `window` rows, from 0 to 1.

    Missing unless all of them are known, and where the extremes are equal. state: 0, 1 the heads,
    2.. the tails of the smallest, then of the largest. ints as in `slide_extreme`.
    """
    least, most, phase, known = state[0], state[1], ints[0], ints[1]
    t = lo
    while t < hi:
        if phase == 0:
            least, most = math.inf, -math.inf
            tails_of_extremes(x, t, window, SMALLEST, state, 2)
            tails_of_extremes(x, t, window, LARGEST, state, 3 + window)
        stop = min(hi, t + window - phase)
        lows = 3 + phase - t
        highs = lows + window + 1
        phase = phase + stop - t if phase + stop - t < window else 0
        whole = known >= window - 1 and all_known(x, t, stop)
        known += stop - t if whole else 0
        while t < stop:
            new = x[t]
            least = farther(new, least, SMALLEST)
            most = farther(new, most, LARGEST)
            low = farther(least, state[lows + t], SMALLEST)
            high = farther(most, state[highs + t], LARGEST)
            found = (new - low) / (high - low)  # 0 / 0 where they are equal
            if not whole:
                known = known + 1 if new == new else 0
                found = found if known >= window else math.nan
            out[t] = found
            t += 1
    state[0], state[1], ints[0], ints[1] = least, most, phase, known


def fold_extreme(
    x: Any, first_row: Any, close_row: Any, lo: int, hi: int, row: int, olo: int, ohi: int,
    largest: int, out: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write, per bar closed in this block, the extreme of its rows; missing where none is known.

    state: 0 the extreme so far, 1 the last bar's closing value; ints: 0 whether the extreme is
    one, 1 one more than the last closing row.
    """
    far = -math.inf if largest else math.inf
    found = state[0] if ints[0] == 1 else far
    held, closed = state[1], ints[1]
    t = lo
    for o in range(olo, ohi):
        end = close_row[o] - row + lo
        while t <= end:
            found = farther(x[t], found, largest)
            t += 1
        if first_row[o] + 1 == closed:  # a divided trade is in both of its bars
            found = farther(held, found, largest)
        out[o] = found if found != far else math.nan
        found, held, closed = far, x[end], close_row[o] + 1
    while t < hi:
        found = farther(x[t], found, largest)
        t += 1
    state[0], state[1] = found, held
    ints[0], ints[1] = 1, closed
