"""Rows of features as they come, kept as far as later decisions of other symbols may need them.

A decision at time T sees another symbol's newest row with feature_time < T: strictly earlier, since
nothing says which of two symbols' frames of one instant was first. Of rows of one instant the last
counts. Rows of one feature come in order; rows of several symbols may come in any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from qf.schema import BIT, NULL_INT

WARMUP = BIT["warmup"]
KINDS = {"bar_id": np.int64, "feature_time": np.int64, "value": np.float64, "quality": np.int64}

Rows = dict[str, np.ndarray]


class Source(NamedTuple):
    """What rows belong to, by the names of the table's columns.

    Clock and set are "" for what the venue publishes (project/cross_model.py: MARKS).
    """

    symbol: str
    bar_clock: str
    feature_set: str
    feature_name: str

    @property
    def published(self) -> bool:
        """Say whether the venue publishes it."""
        return not self.feature_set

    @property
    def constants(self) -> dict[str, str]:
        """Return what `Cross.take` is told beside the rows."""
        return self._asdict()


class FeatureRows:
    """The rows of one feature of one symbol, the oldest first."""

    def __init__(self) -> None:
        self._parts: list[Rows] = []
        self.late = 0  # rows that came behind a decision which should have seen them
        self._asked = NULL_INT  # the newest instant that a decision asked about

    @property
    def rows(self) -> Rows:
        """Return what is kept."""
        if len(self._parts) != 1:
            self._parts = [
                {
                    name: np.concatenate([np.zeros(0, kind), *(part[name] for part in self._parts)])
                    for name, kind in KINDS.items()
                }
            ]
        return self._parts[0]

    def add(self, columns: Mapping[str, Any]) -> None:
        """Take rows behind those that are here. The arrays are copied."""
        part = {name: np.array(columns[name], kind) for name, kind in KINDS.items()}
        self.late += int((part["feature_time"] < self._asked).sum())
        self._parts.append(part)

    def before(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return value, age in ns and quality of the newest row before each time.

        Null before the first row, with quality `warmup`; a null row stays null.
        """
        rows = self.rows
        if len(times):
            self._asked = max(self._asked, int(times[-1]))
        at = np.searchsorted(rows["feature_time"], times, "left") - 1
        there = at >= 0
        if not len(rows["value"]):
            none = np.full(len(times), NULL_INT, np.int64)
            return np.full(len(times), np.nan), none, np.full(len(times), WARMUP, np.int64)
        value = np.where(there, rows["value"][at], np.nan)
        age = np.where(there, times - rows["feature_time"][at], NULL_INT)
        return value, age, np.where(there, rows["quality"][at], WARMUP)

    def take(self, count: int) -> Rows:
        """Return the oldest rows and let them go."""
        rows = self.rows
        self._parts = [{name: column[count:] for name, column in rows.items()}]
        return {name: column[:count] for name, column in rows.items()}

    def forget_before(self, time: int) -> None:
        """Let go of what no decision at or after `time` can see."""
        last = int(np.searchsorted(self.rows["feature_time"], time, "left")) - 1
        if last > 0:
            self.take(last)

    def state(self) -> dict[str, Any]:
        """Return everything that decides what is seen later, as plain values."""
        packed = {name: column.tobytes() for name, column in self.rows.items()}
        return {"rows": packed, "late": self.late, "asked": self._asked}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        packed = state["rows"]
        self._parts = [{n: np.frombuffer(packed[n], kind) for n, kind in KINDS.items()}]
        self.late, self._asked = state["late"], state["asked"]
