"""How far a run is, told by several workers at once, as one number."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

Progress = Callable[[str, int, int, str], None]  # stage, done, total, note
PARTS = 100  # of one symbol


class Board:
    """Add up what the workers tell and pass it on; any thread may call it."""

    def __init__(self, report: Progress) -> None:
        self._report, self._lock = report, threading.Lock()
        self._stage, self._parts = "", dict[str, int]()

    def begin(self, stage: str, symbols: Iterable[str]) -> None:
        """Begin a stage of all symbols."""
        with self._lock:
            self._stage, self._parts = stage, dict.fromkeys(symbols, 0)

    def __call__(self, stage: str, done: int, total: int, symbol: str) -> None:
        """Take what a worker tells of one symbol; compiling is the same for all."""
        with self._lock:
            if stage != self._stage:
                self._report(stage, done, total, symbol)
            elif symbol in self._parts:
                # The last part is the owner's: the rows are in the database.
                made = (PARTS - 1) * done // total if total else 0
                self._parts[symbol] = max(self._parts[symbol], made)
                self._tell(symbol)

    def end(self, symbol: str) -> None:
        """Count a symbol as done."""
        with self._lock:
            self._parts[symbol] = PARTS
            self._tell(symbol)

    def _tell(self, symbol: str) -> None:
        self._report(self._stage, sum(self._parts.values()), PARTS * len(self._parts), symbol)
