"""Rows on their way from the thread that makes them to the owner of the database, in memory.

The owner takes symbol after symbol, in the project's order. Rows of the symbol that it is at go
straight to it while they are made; those of later ones wait, and where they would be too many the
threads that make them wait, until the owner has come to them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from qf.engines.symbol_work import Intent

ROOM_BYTES = 32 << 20  # for each worker; all streams share it

Rows = tuple[str, list["pa.RecordBatch"]]  # of one table


class Stopped(Exception):
    """End a job whose run has been given up."""


class Room:
    """What the waiting rows of all streams take together, and who waits for what."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes, self.taken_bytes = most_bytes, 0
        self.stopped = False
        self.turn = threading.Condition()  # guards the streams' fields too

    def stop(self) -> None:
        """Give up: no row is taken any more, and whoever waits to give one is told."""
        with self.turn:
            self.stopped = True
            self.turn.notify_all()


class RowStream:
    """One symbol's intent, then its rows; made by one thread, taken by another."""

    def __init__(self, room: Room) -> None:
        self._room, self._turn = room, room.turn
        self._intent: Intent | None = None
        self._waiting: deque[tuple[Rows, int]] = deque()
        self._followed = self._ended = False

    def begin(self, intent: Intent) -> None:
        """Say what the rows to come replace."""
        with self._turn:
            self._intent = intent
            self._turn.notify_all()

    def give(self, table: str, batches: list[pa.RecordBatch]) -> None:
        """Hand rows over; wait where there is no room for them. Errors: Stopped."""
        size = sum(batch.nbytes for batch in batches)
        with self._turn:
            self._turn.wait_for(lambda: self._room.stopped or self._fits(size))
            if self._room.stopped:
                raise Stopped
            self._waiting.append(((table, batches), size))
            self._room.taken_bytes += size
            self._turn.notify_all()

    def _fits(self, size: int) -> bool:
        # What the owner waits for it gets, however full of later rows the room is.
        awaited = self._followed and not self._waiting
        return awaited or self._room.taken_bytes + size <= self._room.most_bytes

    def end(self) -> None:
        """Say that nothing more comes, whatever the reason."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()

    def intent(self) -> Intent | None:
        """Wait for what the rows replace; None where the job has failed before."""
        with self._turn:
            self._turn.wait_for(lambda: self._intent is not None or self._ended)
            return self._intent

    def rows(self, meanwhile: Callable[[], bool]) -> Iterator[Rows]:
        """Yield the rows in the order they are given, until the end.

        While there are none, `meanwhile` does a piece of other work and says whether there was any.
        """
        with self._turn:
            self._followed = True
            self._turn.notify_all()
        while True:
            while not self._waiting and not self._ended and meanwhile():
                pass
            with self._turn:
                self._turn.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                rows, size = self._waiting.popleft()
                self._room.taken_bytes -= size
                self._turn.notify_all()
            yield rows
