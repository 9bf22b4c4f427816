"""Collect frames into the tape's columns, block by block.

Frame values are kept once per frame and repeated over its rows when a block is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qf.feeds.record import STREAMS, Record
from qf.schema import BAD, NULL_INT, TAPE
from qf.tape.screen import Levels

NAMES = tuple(field.name for field in TAPE)
_FRAME = (
    "seq",
    "kind",
    "event_time",
    "venue_time",
    "processed_time",
    "first_id",
    "last_id",
    "prev_id",
    "flags",
)


class Columns:
    """Rows of the tape that are not yet written."""

    def __init__(self) -> None:
        self.rows = 0
        self._frames: list[tuple[int, ...]] = []
        self._counts: list[int] = []
        self._parts: dict[str, list[np.ndarray]] = {"side": [], "price": [], "size": []}
        self._open: dict[str, list[int]] = {"side": [], "price": [], "size": []}

    def add(self, seq: int, time: int, record: Record, flags: int, levels: Levels) -> None:
        """Add one good record's rows."""
        count = len(levels.prices)
        self._frames.append(
            (
                seq,
                STREAMS[record.stream],
                record.event_time,
                record.venue_time,
                time,
                record.first_id,
                record.last_id,
                record.prev_id,
                record.flags | flags,
            )
        )
        self._counts.append(count)
        self.rows += count
        if isinstance(levels.prices, np.ndarray):
            self._close()
            self._parts["side"].append(levels.sides)
            self._parts["price"].append(levels.prices)
            self._parts["size"].append(levels.sizes)
            return
        self._open["side"].extend(levels.sides)
        self._open["price"].extend(levels.prices)
        self._open["size"].extend(levels.sizes)

    def add_bad(self, seq: int, kind: int, time: int, flags: int) -> None:
        """Add the one row of a frame in quarantine; `kind` is what it would have been, or 0."""
        null = NULL_INT
        self._frames.append((seq, BAD, null, null, time, kind, null, null, flags))
        self._counts.append(1)
        self.rows += 1
        for name in self._open:
            self._open[name].append(0)

    def state(self) -> dict[str, Any]:
        """Return the rows that were not taken yet, as JSON values."""
        self._close()
        return {
            "frames": [list(frame) for frame in self._frames],
            "counts": list(self._counts),
            **{name: _joined(parts).tolist() for name, parts in self._parts.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Hold the rows that `state` gave, and no others."""
        self.__init__()
        self._frames = [tuple(frame) for frame in state["frames"]]
        self._counts = list(state["counts"])
        self.rows = sum(self._counts)
        for name in self._open:
            self._open[name] = list(state[name])

    def hold(self, block: dict[str, np.ndarray]) -> None:
        """Hold the rows of a block that `take` gave, and no others."""
        self.__init__()
        ends = np.flatnonzero(block["last_row"]) + 1
        frames = np.stack([block[name][ends - 1] for name in _FRAME], axis=1)
        self._frames = [tuple(frame) for frame in frames.tolist()]
        self._counts = np.diff(ends, prepend=0).tolist()
        self.rows = len(block["last_row"])
        self._parts = {name: [block[name]] for name in self._parts}

    def _close(self) -> None:
        for name, values in self._open.items():
            if values:
                self._parts[name].append(np.array(values, dtype=np.int64))
                self._open[name] = []

    def take(self) -> dict[str, np.ndarray]:
        """Return everything collected as int64 columns named by schema.TAPE, and start anew."""
        self._close()
        counts = np.array(self._counts, dtype=np.int64)
        frames = np.array(self._frames, dtype=np.int64).reshape(-1, len(_FRAME))
        block = dict(zip(_FRAME, np.repeat(frames.T, counts, axis=1), strict=True))
        block |= {name: _joined(parts) for name, parts in self._parts.items()}
        last_row = np.zeros(self.rows, np.int64)
        last_row[np.cumsum(counts) - 1] = 1
        block["last_row"] = last_row
        assert all(len(column) == self.rows for column in block.values())
        self.__init__()
        return {name: block[name] for name in NAMES}


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
