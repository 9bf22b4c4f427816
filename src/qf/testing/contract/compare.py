"""When two columns are the same: missing in the same rows, and values within the op's class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qf.errors import diagnostic
from qf.op import Op
from qf.schema import NULL_INT

BROKEN_LAW = diagnostic(
    "QF820", "{op} breaks '{law}': {what}", hint="the laws are in qf.testing.contract"
)

Column = NDArray[Any]  # float64 or int64


def missing(column: Column) -> NDArray[np.bool_]:
    """Say which rows are missing: NaN in float64, NULL_INT in int64."""
    return column == NULL_INT if column.dtype == np.int64 else np.isnan(column)


def same_bits(
    op: Op, law: str, got: dict[str, Column], want: dict[str, Column], *, where: str
) -> None:
    """Compare bit for bit. Errors: QF820 naming the first row that differs."""
    for name, column in want.items():
        # one NaN is as good as another: only its being missing is promised
        equal = (column == got[name]) | (missing(column) & missing(got[name]))
        if len(column) and not equal.all():
            row = int(np.argmin(equal))
            raise BROKEN_LAW(
                op=op.name,
                law=law,
                what=f"{name} at row {row} is {got[name][row]!r}, was {column[row]!r} ({where})",
            )


Sizes = dict[str, Any]  # a magnitude per column: one, or one per row


def sizes_near(columns: dict[str, Column], memory: int) -> Sizes:
    """Return, per row, the largest magnitude among the rows that its value remembers.

    A difference of large sums has no relative accuracy of its own where it happens to be near
    zero; but a jump that has left the window must have taken its rounding along. With unbounded
    memory (0) the whole past counts.
    """
    sizes: Sizes = {}
    for name, column in columns.items():
        size = np.where(missing(column), 0.0, np.abs(column.astype(np.float64)))
        width = memory if 0 < memory < len(size) else len(size)
        padded = np.r_[np.zeros(max(width - 1, 0)), size]
        windows = np.lib.stride_tricks.sliding_window_view(padded, max(width, 1))
        sizes[name] = windows.max(axis=1) if len(size) else size
    return sizes


def close(
    op: Op,
    law: str,
    got: dict[str, Column],
    want: dict[str, Column],
    *,
    where: str,
    tolerance: float | None = None,
    sizes: Sizes | None = None,
) -> None:
    """Compare within a relative tolerance (default: the op's). Errors: QF820.

    The measure is the larger of the value and its row's size (default: `sizes_near`).
    """
    allowed = op.tolerance if tolerance is None else tolerance
    for name, column in want.items():
        mine = got[name]
        apart = missing(column) != missing(mine)
        known = ~(missing(column) | missing(mine))
        if column.dtype == np.float64 and not np.isfinite(mine[known]).all():
            raise BROKEN_LAW(op=op.name, law=law, what=f"{name} is infinite somewhere ({where})")
        scale = sizes[name] if sizes else 0.0
        with np.errstate(invalid="ignore", over="ignore"):
            limit = allowed * np.maximum(np.abs(column), scale)
            apart |= known & (np.abs(mine - column) > limit)
        if apart.any():
            row = int(np.argmax(apart))
            raise BROKEN_LAW(
                op=op.name,
                law=law,
                what=f"{name} at row {row} is {mine[row]!r}, the definition says "
                f"{column[row]!r} ({where}, tolerance {allowed:g}, {int(apart.sum())} rows)",
            )
