"""The straight line through a window against its row numbers: slope and share explained.

Rows are numbered about the middle of the window, so slope and mean do not depend on each other;
each row's window is summed afresh about its newest value. A row costs a window.
"""

from __future__ import annotations

import math
from typing import Any

from qf.missing import any_missing
from qf.moments import centred

SLOPE, R2 = 0, 1


def line_of(rows: list[float], kind: int) -> float:
    """Return slope or r2 of the rows, missing while one is (definitions call this)."""
    if any_missing(rows):
        return math.nan
    n, middle = len(rows), (len(rows) - 1) / 2.0
    gaps = centred(rows)
    product = math.fsum((i - middle) * gap for i, gap in enumerate(gaps))
    steps = n * (n * n - 1.0) / 12.0
    if kind == SLOPE:
        return product / steps
    square = math.fsum(gap * gap for gap in gaps)
    return min(1.0, product * product / (steps * square)) if square > 0.0 else math.nan


def slide_line(x: Any, lo: int, hi: int, window: int, kind: int, out: Any, ints: Any) -> None:
    """Write slope or r2 of the last `window` rows; missing unless all are known.

    ints: 0 known rows in a row, 1 rows in a row with this very value.
    """
    known, same = ints[0], ints[1]
    middle = (window - 1) / 2.0
    steps = window * (window * window - 1.0) / 12.0
    for t in range(lo, hi):
        newest = x[t]
        same = same + 1 if newest == x[t - 1] and same > 0 else 1
        known = known + 1 if x[t] == x[t] else 0
        out[t] = math.nan
        if known < window:
            continue
        if same >= window:
            out[t] = 0.0 if kind == SLOPE else math.nan
            continue
        first = t - window + 1
        total = 0.0
        for i in range(first, t + 1):
            total += x[i] - newest
        mean = total / window
        product = 0.0
        square = 0.0
        for i in range(first, t + 1):
            gap = (x[i] - newest) - mean
            product += ((i - first) - middle) * gap
            square += gap * gap
        value = product / steps
        if kind == R2:
            value = min(1.0, product * value / square) if square > 0.0 else math.nan
        out[t] = value if value - value == 0.0 else math.nan
    ints[0], ints[1] = known, same
