"""jsonl: every row as a line of JSON, at once; one file per table, symbol, clock, label or feature.

A file grows until an epoch ends beyond `file_mb`, then the next begins. Rows that come again after
a crash are held against what the file has: equal bytes are passed over, the first other byte cuts
it. Options: tables (default: vectors), file_mb (default: 64).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from qf.schema_tables import Table
from qf.seams import Appender
from qf.sinks.json_lines import lines_of
from qf.sinks.sink import Job, Lost, Outside, chosen

FOLDER = "jsonl"
FILE_MB = 64


class _File:
    """One growing file."""

    def __init__(self, outside: Outside, path: str, size: int) -> None:
        self._disk, self.path, self.size = outside.disk, path, size
        there = self._disk.size(path) or 0
        self._there = self._disk.read(path, size) if there > size else b""
        self._file: Appender | None = None

    def put(self, data: bytes) -> None:
        """Add lines, or pass over them where they are there already."""
        if self._there:
            same = _equal_bytes(self._there, data)
            self.size += same
            self._there, data = self._there[same:], data[same:]
            if data:
                self.cut()
        if data:
            if self._file is None:
                self._file = self._disk.appender(self.path)
            self._file.append(data)
            self.size += len(data)

    def cut(self) -> None:
        """Remove what stands behind the last line."""
        if self._there:
            self._disk.truncate(self.path, self.size)
            self._there = b""

    def sync(self) -> None:
        """Make the lines durable."""
        if self._file is None and not self._there and self._disk.size(self.path) is not None:
            self._file = self._disk.appender(self.path)
        if self._file is not None:
            self._file.sync()

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _equal_bytes(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts begin with in common."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return size
    return next(at for at in range(size) if one[at] != other[at])


class JsonlSink:
    """Write rows as lines of files."""

    TYPE: ClassVar[str] = "jsonl"
    OPTIONS: ClassVar[tuple[str, ...]] = ("tables", "file_mb")
    PROMPT: ClassVar[bool] = True

    def __init__(self, name: str, outside: Outside, options: Mapping[str, Any]) -> None:
        self.name, self._outside = name, outside
        self._only = tuple(options.get("tables") or ("vectors",))
        self._most = float(options.get("file_mb", FILE_MB)) * (1 << 20)
        self._position = 0
        self._files: dict[str, _File] = {}
        self._rolled: dict[str, tuple[str, int]] = {}  # as the last epoch left the files
        self._waiting: dict[str, list[bytes]] = {}

    def wants(self, table: Table) -> bool:
        """Say whether the sink takes rows of a table."""
        return chosen(table, self._only)

    def write(self, table: Table, columns: Mapping[str, Any], **constants: str) -> None:
        """Take rows, as the store's writer does."""
        lines = lines_of(table, columns, constants)
        if lines:
            self._waiting.setdefault(stem_of(table, constants), []).append(lines)

    def flush(self) -> None:
        """Put the lines into their files."""
        for stem in list(self._waiting):
            if stem not in self._files:
                self._files[stem] = _File(self._outside, _path(stem, self._position), 0)
            self._files[stem].put(b"".join(self._waiting[stem]))
            del self._waiting[stem]

    def show(self) -> list[Job]:
        """Return nothing: lines are in their files at once."""
        return []

    def roll(self, position: int) -> list[Job]:
        """End the epoch: the files are synced, and the long ones end with it."""
        self.flush()
        files = list(self._files.values())
        self._position = position
        for stem, file in list(self._files.items()):
            if file.size > self._most:
                del self._files[stem]
        kept = {stem: (file.path, file.size) for stem, file in self._files.items()}

        def sync() -> None:
            for file in files:
                try:
                    file.sync()
                except OSError as failure:  # a second sync could succeed over what the first lost
                    raise Lost(failure.strerror or str(failure)) from failure
                if file not in self._files.values():
                    file.close()
            self._rolled = kept

        return [sync]

    def state(self) -> dict[str, Any]:
        """Return the files that go on, with their sizes."""
        return {"files": self._rolled}

    def restore(self, state: Mapping[str, Any], position: int) -> None:
        """Go on behind the sizes of `state`."""
        self._position = position
        for stem, (path, size) in state.get("files", {}).items():
            self._files[stem] = _File(self._outside, path, size)
        self._rolled = {stem: (file.path, file.size) for stem, file in self._files.items()}

    def settle(self) -> None:
        """Cut what a crash left behind the last line of every file."""
        for file in self._files.values():
            file.cut()
        named = {file.path for file in self._files.values()}
        for name in self._outside.disk.names(FOLDER):
            path = f"{FOLDER}/{name}"
            if path not in named and name.endswith(f"-{self._position:016d}.jsonl"):
                self._outside.disk.remove(path)


def stem_of(table: Table, constants: Mapping[str, str]) -> str:
    """Return the name of the file that rows go to, without the epoch it began in."""
    words = [constants["venue"], constants["symbol"], table.name]
    words += [constants[name] for name in sorted(constants) if name not in ("venue", "symbol")]
    return "-".join(re.sub(r"[^A-Za-z0-9_]", lambda m: f".{ord(m[0]):x}", word) for word in words)


def _path(stem: str, position: int) -> str:
    return f"{FOLDER}/{stem}-{position:016d}.jsonl"
