"""Read LOBSTER archives: a zip with a message and an orderbook file, or the two files.

Times in the files are seconds after the exchange's midnight; the date is in the file's name.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from qf.clock import DAY_NS, SECOND_NS
from qf.errors import RunError, diagnostic
from qf.tape.source import UNREADABLE_FILE, Arrival, Broken, hash_file

NO_PAIR = diagnostic(
    "QF324",
    "{path} does not hold one message file and one orderbook file of LOBSTER",
    hint="give the zip, or the file named …_message_….csv with …_orderbook_….csv beside it",
)
NO_DATE = diagnostic("QF325", "the name {name} holds no date such as 2012-06-21")
UNEVEN = diagnostic(
    "QF326",
    "the message file of {path} has {more} lines than its orderbook file",
    RunError,
    "fetch the archive again",
)
MAX_LINE_BYTES = 1 << 20


@dataclass(frozen=True)
class LobsterSource:
    """LOBSTER archives in name order; receive time is event time."""

    name: str
    symbol: str
    paths: tuple[Path, ...]
    timezone: str = "America/New_York"
    venue: str = "lobster"
    ordering: str = "event"
    trades: str | None = "trade"

    def identity(self) -> dict[str, Any]:
        """Return the settings and the files' hashes."""
        return {
            "kind": "lobster",
            "timezone": self.timezone,
            "files": [hash_file(path) for path in self._files()],
        }

    def _files(self) -> Iterator[Path]:
        for path in self.paths:
            yield path
            if path.suffix != ".zip":
                yield _book_path(path)

    def arrivals(self) -> Iterator[Arrival]:
        """Yield one frame per message: its line and its book line. Errors: QF313, QF324-QF326."""
        for path in self.paths:
            try:
                if path.suffix == ".zip":
                    yield from self._zip(path)
                else:
                    book = _book_path(path)
                    with path.open("rb") as messages, book.open("rb") as books:
                        yield from self._pair(path.name, messages, books)
            except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile) as problem:
                raise UNREADABLE_FILE(path=path, why=problem) from None

    def _zip(self, path: Path) -> Iterator[Arrival]:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            message = [name for name in names if "_message_" in name]
            book = [name for name in names if "_orderbook_" in name]
            if len(message) != 1 or len(book) != 1:
                raise NO_PAIR(path=path)
            with archive.open(message[0]) as messages, archive.open(book[0]) as books:
                yield from self._pair(message[0], messages, books)

    def _pair(self, name: str, messages: IO[bytes], books: IO[bytes]) -> Iterator[Arrival]:
        midnight = _midnight(name, self.timezone)
        time = midnight
        message_lines, book_lines = io.BufferedReader(messages), io.BufferedReader(books)  # type: ignore[arg-type]
        while message := message_lines.readline(MAX_LINE_BYTES).rstrip():
            book = book_lines.readline(MAX_LINE_BYTES).rstrip()
            if not book:
                raise UNEVEN(path=name, more="more")
            since = _nanoseconds(message.partition(b",")[0])
            if since is None:
                yield time, Broken("receive_time_unreadable", message), self.symbol
                continue
            time = midnight + since
            yield time, message + b";" + book, self.symbol
        if book_lines.readline(MAX_LINE_BYTES).strip():
            raise UNEVEN(path=name, more="fewer")


def _book_path(path: Path) -> Path:
    name = path.name.replace("_message_", "_orderbook_")
    book = path.with_name(name)
    if name == path.name or not book.is_file():
        raise NO_PAIR(path=path)
    return book


def _midnight(name: str, timezone: str) -> int:
    found = re.search(r"\d{4}-\d{2}-\d{2}", name)
    if found is None:
        raise NO_DATE(name=name)
    try:
        moment = datetime.fromisoformat(found[0]).replace(tzinfo=ZoneInfo(timezone))
    except (ValueError, KeyError, OSError):
        raise NO_DATE(name=name) from None
    return int(moment.timestamp()) * SECOND_NS


def _nanoseconds(text: bytes) -> int | None:
    """Return the ns of seconds in decimal text, exactly; None if it is no time of a day."""
    whole, _, part = text.partition(b".")
    if not whole.isdigit() or len(whole) > 6 or len(part) > 9 or not (part or b"0").isdigit():
        return None
    since = int(whole) * SECOND_NS + int(part.ljust(9, b"0"))
    return since if since <= DAY_NS + 3600 * SECOND_NS else None
