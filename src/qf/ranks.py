"""The mid-rank of the newest row, said three times: `rolling_rank` and the normaliser `rank`.

Values within TIE of each other, relative to the newest, are ties: without that, two correct ways
to compute a column disagree on a rank in five.
Source: Conover (1999), Practical Nonparametric Statistics, 3rd ed., 5.1 (average ranks).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Any

from qf.missing import any_missing
from qf.windows import per_window, whole

TIE = 1e-9  # relative


def mid_rank(rows: list[float]) -> float:
    """Return the last value's mid-rank among the rows, in (0, 1); missing while one of them is."""
    if any_missing(rows):
        return math.nan
    value, margin = rows[-1], TIE * abs(rows[-1])
    below = sum(other < value - margin for other in rows)
    tied = sum(value - margin <= other <= value + margin for other in rows)
    return (below + 0.5 * tied) / len(rows)


def mid_ranks(x: Any, window: int) -> Any:
    """Return the Polars expression of the mid-rank among the last `window` rows."""
    import polars as pl

    low, high = x - TIE * x.abs(), x + TIE * x.abs()
    if window <= 1024:  # a balanced tree of shifts: ten times faster than a group per row
        halves = _halves(x, low, high, 0, window)
    else:
        halves = per_window((x < low.last()).sum() + (x <= high.last()).sum(), window)
    # a column, not a number: Polars multiplies by a literal's reciprocal
    rows = 0.0 * pl.int_range(pl.len()) + window
    return whole(halves.cast(float) * 0.5 / rows, window, x)


def _halves(x: Any, low: Any, high: Any, first: int, end: int) -> Any:
    """Return, over rows first..end-1 ago, how many are below low plus how many not above high."""
    if end - first == 1:
        return (x.shift(first) < low).cast(int) + (x.shift(first) <= high).cast(int)
    middle = (first + end) // 2
    return _halves(x, low, high, first, middle) + _halves(x, low, high, middle, end)


def slide_ranks(x: Any, lo: int, hi: int, window: int, out: Any, ints: Any) -> None:
    """Write the mid-rank of each row among the last `window`; missing unless all are known.

    Rows below `low` plus rows not above `high` is twice the mid-rank. Plain compares of the whole
    window: they run in lanes. ints: 0 known rows in a row.
    """
    known = ints[0]
    for t in range(lo, hi):
        value = x[t]
        known = known + 1 if value == value else 0
        if known < window:
            out[t] = math.nan
            continue
        low, high = value - TIE * abs(value), value + TIE * abs(value)
        halves = 0
        for i in range(t - window + 1, t + 1):
            halves += (1 if x[i] < low else 0) + (1 if x[i] <= high else 0)
        out[t] = halves * 0.5 / window
    ints[0] = known


def doubled_ranks(rows: list[float]) -> list[float]:
    """Return twice each value's mid-rank among the rows (definitions call this)."""
    ordered, found = sorted(rows), []
    for value in rows:
        low, high = value - TIE * abs(value), value + TIE * abs(value)
        found.append(float(bisect_left(ordered, low) + bisect_right(ordered, high)))
    return found


def gap_of_rank(x: Any, first: int, end: int, value: float) -> float:
    """Return twice the value's mid-rank among rows first..end-1, less the middle one."""
    low, high = value - TIE * abs(value), value + TIE * abs(value)
    halves = 0
    for i in range(first, end):
        halves += (1 if x[i] < low else 0) + (1 if x[i] <= high else 0)
    return float(halves - (end - first))
