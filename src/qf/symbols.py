"""The last values as symbols: equally wide bins between a window's lowest and highest value.

`rolling_entropy` bins the same way. Two symbols tell low from high; a column of two values, such
as a condition, is its own symbols.
"""

from __future__ import annotations

from typing import Any

WIDTH = 1e-300  # a narrower range counts as equal values: its bins cannot be told apart


def symbols_of(rows: list[float], bins: int) -> list[int]:
    """Return the symbol 0..bins-1 of each row (definitions call this)."""
    low, width = min(rows), max(rows) - min(rows)
    per_unit = bins / width if width > WIDTH else 0.0
    return [min(int((value - low) * per_unit), bins - 1) for value in rows]


def spell(x: Any, first: int, window: int, bins: int, ints: Any) -> None:
    """Write the symbols of rows first .. first+window-1 to ints[0..window-1]."""
    low, high = x[first], x[first]
    for i in range(first, first + window):
        low = x[i] if x[i] < low else low
        high = x[i] if x[i] > high else high
    per_unit = bins / (high - low) if high - low > WIDTH else 0.0
    for i in range(window):
        ints[i] = min(int((x[first + i] - low) * per_unit), bins - 1)
