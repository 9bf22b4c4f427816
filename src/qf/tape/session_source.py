"""The journal of a live session as the source of a batch run: kind: journal.

Frames of other symbols, and what a crash left behind the last whole record, are passed over. While
the session still runs, the source is what has been handed to the disk so far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qf.errors import diagnostic
from qf.tape.journal import SUFFIX, damaged, first_position, read_segment
from qf.tape.source import UNREADABLE_FILE, Arrival, hash_file

NO_JOURNAL = diagnostic(
    "QF343",
    "there is no journal in {folder}",
    hint="a live session writes one: qf run --mode streaming, or qf record",
)


@dataclass(frozen=True)
class JournalSource:
    """The frames of one symbol in a session's journal. Errors: QF340, QF341, QF343."""

    name: str
    venue: str
    folder: Path
    symbol: str
    trades: str | None = None
    ordering: str = "arrival"

    @property
    def is_there(self) -> bool:
        """Say whether a session has written anything yet."""
        return self.folder.is_dir() and any(self.folder.glob(f"*{SUFFIX}"))

    def identity(self) -> dict[str, Any]:
        """Return the settings and the segments' hashes, without the folder."""
        return {
            "kind": "journal",
            "venue": self.venue,
            "symbol": self.symbol,
            "trades": self.trades,
            "segments": [hash_file(path) for path in self._segments()],
        }

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the frames from the first on."""
        segments = self._segments()
        for place, path in enumerate(segments):
            try:
                data = path.read_bytes()
            except OSError as problem:
                raise UNREADABLE_FILE(path=path, why=problem.strerror) from None
            found, first = read_segment(path.name, data), first_position(path.name)
            if found is None or found.first != first:
                raise damaged(path.name, 0, first, "its header is wrong")
            following = segments[place + 1 : place + 2]
            if following and first + len(found.frames) != first_position(following[0].name):
                position = first + len(found.frames)
                raise damaged(path.name, found.end, position, found.why or "it is not there")
            for frame in found.frames:
                if frame.symbol in ("", self.symbol) and not frame.is_note:
                    yield frame.processed_time, frame.payload, frame.symbol

    def _segments(self) -> list[Path]:
        found = sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []
        if not found:
            raise NO_JOURNAL(folder=self.folder)
        return found
