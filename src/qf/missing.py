"""Any non-finite result is missing: the one rule, for kernels and for Polars expressions."""

from __future__ import annotations

import math
from operator import ne
from typing import Any


def finite(value: float) -> float:
    """Return `value`, or missing where it is infinite (kernels call this)."""
    return value if value - value == 0.0 else math.nan


def finite_or_null(expression: Any) -> Any:
    """Return a Polars expression with NaN and infinities as null."""
    return (expression + expression * 0.0).fill_nan(None)


def any_missing(*columns: list[float]) -> bool:
    """Say whether one of the values is missing (definitions call this on a window)."""
    return any(any(map(ne, column, column)) for column in columns)


def members(x: list[float], first_row: list[int], close_row: list[int]) -> list[float]:
    """Return the known values of the newest bar's rows (definitions of aggregations call this)."""
    return [value for value in x[first_row[-1] : close_row[-1] + 1] if value == value]
