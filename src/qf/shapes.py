"""The shape of a window's values: skewness and kurtosis, each row's window summed afresh.

Two passes about the newest value and then about the mean, so that no digits are lost at prices
far from zero, and nothing that has left a window leaves anything behind. A row costs a window.
"""

from __future__ import annotations

import math
from typing import Any

from qf.missing import any_missing
from qf.moments import centred

SKEW, KURT = 0, 1


def shape_of(rows: list[float], kind: int) -> float:
    """Return the shape of the rows, missing while one is (definitions call this)."""
    if any_missing(rows):
        return math.nan
    gaps = centred(rows)
    square = math.fsum(gap**2 for gap in gaps)
    if min(rows) == max(rows) or square == 0.0:
        return math.nan
    power = math.fsum(gap ** (3 + kind) for gap in gaps)
    return unbiased(len(rows), square, power, kind)


def unbiased(n: int, square: float, power: float, kind: int) -> float:
    """Return G1 or G2 of Joanes and Gill from the sums of second and higher powers."""
    variance = square / n
    if kind == SKEW:
        plain = power / n / (variance * math.sqrt(variance))
        return plain * math.sqrt(n * (n - 1.0)) / (n - 2.0)
    plain = power / n / (variance * variance) - 3.0
    return ((n + 1.0) * plain + 6.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))


def slide_shape(x: Any, lo: int, hi: int, window: int, kind: int, out: Any, ints: Any) -> None:
    """Write the shape of the last `window` rows; missing unless all are known and some differ.

    ints: 0 known rows in a row, 1 rows in a row with this very value.
    """
    known, same = ints[0], ints[1]
    for t in range(lo, hi):
        newest = x[t]
        same = same + 1 if newest == x[t - 1] and same > 0 else 1
        known = known + 1 if x[t] == x[t] else 0
        out[t] = math.nan
        if known < window or same >= window:
            continue
        total = 0.0
        for i in range(t - window + 1, t + 1):
            total += x[i] - newest
        mean = total / window
        square = 0.0
        power = 0.0
        for i in range(t - window + 1, t + 1):
            gap = (x[i] - newest) - mean
            square += gap * gap
            power += gap * gap * gap if kind == SKEW else (gap * gap) * (gap * gap)
        if square * square > 0.0:
            value = unbiased(window, square, power, kind)
            out[t] = value if value - value == 0.0 else math.nan
    ints[0], ints[1] = known, same
