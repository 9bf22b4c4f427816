"""The sliding sum that `rolling_sum` and `rolling_mean` share: only rows inside are ever added.

A window is the tail of one block of `window` rows and the head of the next (van Herk 1992,
Pattern Recognition Letters 13(7)). Tails are summed once a block, from its end; heads grow with
the rows. Nothing is subtracted, so what has left a window leaves nothing behind, and a missing
row makes just those windows missing that hold it. Blocks begin at absolute rows, and four rows
are added to each other before they are added to the head: the order of additions is the same
wherever the stream is cut, and a row waits for a quarter of an addition.
"""

from __future__ import annotations

from typing import Any

from qf.missing import finite

TAILS = 3  # state: 0 what a block's first row holds, 1 the head, 2 its open four, 3.. the tails


def lost(total: float, added: float, result: float) -> float:
    """Return what rounding took from total + added = result (Knuth 1969, TAOCP 2, 4.2.2)."""
    back = result - total
    return (total - (result - back)) + (added - back)


def tails_of_sums(x: Any, t: int, window: int, near: float, state: Any) -> None:
    """Store in state[TAILS + k] the sum of x - near over rows k.. of the block before row t."""
    first = t - window
    total = 0.0
    state[TAILS + window] = 0.0
    k = window - 4
    while k >= 0:
        a = x[first + k] - near
        b = x[first + k + 1] - near
        c = x[first + k + 2] - near
        d = x[first + k + 3] - near
        later = c + d
        state[TAILS + k + 3] = total + d
        state[TAILS + k + 2] = total + later
        state[TAILS + k + 1] = total + (b + later)
        total += (a + b) + later
        state[TAILS + k] = total
        k -= 4
    for left in range(k + 3, -1, -1):
        total += x[first + left] - near
        state[TAILS + left] = total


def slide_sum(
    x: Any, lo: int, hi: int, window: int, mean: int, out: Any, state: Any, ints: Any
) -> None:
    """Write the sum (or mean) of the last `window` rows; missing unless all of them are known.

    A mean is taken about the first row of its block, which is in every window that begins before
    the block ends: a window of equal values has exactly that mean. ints: 0 the row of the block.
    """
    share = 1.0 / window if mean else 1.0
    near, head, part = state[0], state[1], state[2]
    phase = ints[0]
    t = lo
    while t < hi:
        if phase == 0:
            near = x[t] if mean else 0.0
            head = part = 0.0
            tails_of_sums(x, t, window, near, state)
        first, tail = t, TAILS + 1 + phase
        stop = min(hi, t + window - phase)
        while t < stop:
            a = x[t] - near
            if phase & 3 == 0 and t + 4 <= stop:
                b = a + (x[t + 1] - near)
                c = b + (x[t + 2] - near)
                d = c + (x[t + 3] - near)
                out[t], out[t + 1], out[t + 2] = head + a, head + b, head + c
                head += d
                out[t + 3] = head
                t += 4
                phase += 4
                continue
            part += a
            out[t] = head + part
            t += 1
            phase += 1
            if phase & 3 == 0:
                head += part
                part = 0.0
        for k in range(stop - first):  # nothing here waits for the row before: it runs on vectors
            out[first + k] = finite(near + (out[first + k] + state[tail + k]) * share)
        phase = phase if phase < window else 0
    state[0], state[1], state[2] = near, head, part
    ints[0] = phase
