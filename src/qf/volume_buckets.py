"""Equal buckets of volume, filled row by row: what VPIN is measured on.

`Buckets` says it in lists; `pour_rows` is the same in flat state, for the kernel. A bucket is full
when it lacks less than a billionth: the rounding of sums never decides which row fills it.
"""

from __future__ import annotations

import math
from typing import Any

FIRST = 5  # state: 0 size of a bucket, 1, 2 volume and signed in the open one, 3 value, then rings
NEARLY = 1e-9

Row = tuple[float, float, float]  # size, bought, sold


class Buckets:
    """The full buckets and the open one (definitions use this)."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.per_bucket = 0.0
        self.left = 0  # closings until the size is measured anew
        self.full: list[tuple[float, float]] = []  # volume and signed volume
        self.volume = self.signed = 0.0

    def begin(self, rows: list[Row | None]) -> None:
        """Measure the bucket's size on the rows and pour them in."""
        self._measure(rows)
        for row in rows if self.per_bucket > 0.0 else ():
            if row is not None:
                self.pour(row, rows)

    def pour(self, row: Row, window: list[Row | None]) -> None:
        """Add one row; `window` are the rows to measure on when a round of buckets is full."""
        size, signed = row[0], row[1] - row[2]
        while self.per_bucket > 0.0:
            room = self.per_bucket - self.volume
            if size < room - NEARLY * self.per_bucket:
                self.volume += size
                self.signed += signed
                return
            part = min(size, room)
            taken = signed * (part / size) if size > 0.0 else 0.0
            self.full.append((self.volume + part, self.signed + taken))
            self.volume = self.signed = 0.0
            size, signed = size - part, signed - taken
            self.left -= 1
            if self.left == 0:
                self._measure(window)

    def toxicity(self) -> float:
        """Return VPIN over the last full buckets, missing while there are too few."""
        last = self.full[-self.count :]
        if len(last) < self.count:
            return math.nan
        return math.fsum(abs(s) for _, s in last) / math.fsum(v for v, _ in last)

    def _measure(self, rows: list[Row | None]) -> None:
        self.per_bucket = sum(row[0] for row in rows if row is not None) / self.count
        self.left = self.count


def is_row(size: Any, bought: Any, sold: Any, t: int) -> bool:
    """Say whether a row has volume and sides."""
    return bought[t] == bought[t] and sold[t] == sold[t] and size[t] > 0.0


def measure(size: Any, bought: Any, sold: Any, t: int, window: int, buckets: int) -> float:
    """Return the size of a bucket: the volume of the last `window` rows over their number."""
    total = 0.0
    for i in range(t - window + 1, t + 1):
        if is_row(size, bought, sold, i):
            total += size[i]
    return total / buckets


def pour_row(
    size: Any, bought: Any, sold: Any, i: int, t: int, window: int, buckets: int,
    state: Any, ints: Any,
) -> bool:  # fmt: skip
    """Add row i, measuring on the window that ends at row t; say whether a bucket became full.

    ints: 0 place of the next full bucket, 1 how many there are, 2 closings until measuring.
    """
    rest, signed = size[i], bought[i] - sold[i]
    closed = False
    while state[0] > 0.0:
        room = state[0] - state[1]
        if rest < room - NEARLY * state[0]:
            state[1] += rest
            state[2] += signed
            break
        part = min(rest, room)
        taken = signed * (part / rest) if rest > 0.0 else 0.0
        place = FIRST + 2 * ints[0]
        state[place], state[place + 1] = state[1] + part, state[2] + taken
        ints[0] = ints[0] + 1 if ints[0] + 1 < buckets else 0
        ints[1] = min(ints[1] + 1, buckets)
        state[1], state[2] = 0.0, 0.0
        rest -= part
        signed -= taken
        closed = True
        ints[2] -= 1
        if ints[2] == 0:
            state[0] = measure(size, bought, sold, t, window, buckets)
            ints[2] = buckets
    return closed


def pour_rows(
    size: Any, bought: Any, sold: Any, lo: int, hi: int, row: int, window: int, buckets: int,
    out: Any, state: Any, ints: Any,
) -> None:  # fmt: skip
    """Write VPIN at every row."""
    for t in range(lo, hi):
        known = is_row(size, bought, sold, t)
        closed = False
        first = t
        if state[0] == 0.0 and row + t - lo >= window - 1:
            state[0] = measure(size, bought, sold, t, window, buckets)
            ints[2] = buckets
            first = t - window + 1
        if state[0] > 0.0:
            for i in range(first, t + 1):
                if is_row(size, bought, sold, i):
                    closed = pour_row(size, bought, sold, i, t, window, buckets, state, ints) or (
                        closed
                    )
        if closed:
            above, below = 0.0, 0.0
            for k in range(buckets):
                below += state[FIRST + 2 * k]
                above += abs(state[FIRST + 2 * k + 1])
            state[3] = above / below if ints[1] == buckets else math.nan
        out[t] = state[3] if known and ints[1] == buckets else math.nan
