"""Columns that lie evenly in one piece of memory, as programs read and write them."""

from __future__ import annotations

from typing import Any

import numpy as np


def even_columns(columns: int, rows: int, kind: Any = np.float64) -> np.ndarray:
    """Return memory for so many columns of at least so many rows, its values undefined.

    Were they a multiple of 4 KiB apart, they would share one set of the first-level cache. What
    has as many rows as an answer of this function is answered with the same.
    """
    return np.empty((columns, (max(rows - 41, 0) | 511) + 41), kind)
