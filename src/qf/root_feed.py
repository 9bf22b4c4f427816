"""Where the rows lie that a program is fed: the columns themselves, or copies of a few rows.

To ask an array for its address costs some microseconds; to copy a few rows costs less. So a row at
a time is copied into columns whose addresses are known, and many rows are read where they lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qf.errors import RunError, diagnostic
from qf.plan import Column

WRONG_FEED = diagnostic("QF432", "the program is fed {expected}, was given {given}", RunError)
UNEVEN_FEED = diagnostic(
    "QF433", "the columns fed to the program differ in length: {lengths}", RunError
)

FLOAT64 = np.dtype(np.float64)
FEW_ROWS = 64
# Columns a multiple of 4 KiB apart would share one set of the first-level cache.
STRIDE = FEW_ROWS + 9


class RootFeed:
    """The addresses of the columns that a program is fed, in the plan's order."""

    def __init__(self, feeds: Sequence[tuple[str, Column]]) -> None:
        self._types = {
            name: np.dtype(np.float64 if column.kind == "float" else np.int64)
            for name, column in feeds
        }
        few = np.zeros((len(feeds) + 1, STRIDE), np.int64)
        self._few = [(name, few[k].view(of)) for k, (name, of) in enumerate(self._types.items())]
        self._few_addresses = few.ctypes.data + 8 * STRIDE * np.arange(len(feeds))
        self._lying: list[np.ndarray] = []  # what the addresses point at stays alive

    def point(self, columns: Mapping[str, np.ndarray], addresses: np.ndarray) -> tuple[int, int]:
        """Write where each column lies; return how many rows they have and how far they are apart.

        Bytes from one column to the next, 0 where that differs or where few were copied.
        Errors: QF432, QF433.
        """
        if columns.keys() != self._types.keys():
            given = ", ".join(sorted(columns))
            raise WRONG_FEED(expected=", ".join(self._types), given=given)
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            told = ", ".join(f"{name} {len(column):,}" for name, column in columns.items())
            raise UNEVEN_FEED(lengths=told)
        rows = lengths.pop() if lengths else 0
        if rows <= FEW_ROWS:
            for name, room in self._few:
                room[:rows] = columns[name]
            addresses[: len(self._few)] = self._few_addresses
            return rows, 0
        self._lying = [np.ascontiguousarray(columns[name], of) for name, of in self._types.items()]
        lie = addresses[: len(self._lying)]
        lie[:] = [column.ctypes.data for column in self._lying]
        steps = np.diff(lie)
        return rows, int(steps[0]) if len(steps) and (steps == steps[0]).all() else 0


def plain_row(row: object) -> np.ndarray:
    """Return a row of a subclass, or with a dtype object of its own, as a step takes it.

    Errors: TypeError, where it is no row of float64.
    """
    if isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype == FLOAT64:
        return row.view(np.ndarray).view(FLOAT64)
    what = f"{row.ndim} x {row.dtype}" if isinstance(row, np.ndarray) else type(row).__name__
    raise TypeError(f"a step takes a row of float64, not {what}")
