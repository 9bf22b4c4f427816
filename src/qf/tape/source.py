"""Where a tape comes from: a source hands out arrivals in order, and says what decides them.

An arrival is a tuple (receive time in ns, payload, symbol hint). The payload is the frame's bytes
(a venue's mapper reads them), a Record (an archive's rows, already read), or Broken.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from qf.errors import QuantflowError, RunError, diagnostic, nearest

MISSING_FILE = diagnostic(
    "QF312", "no file matches {path}", hint="a relative path starts in the project's folder"
)
MOST_NAMES = 1_000  # of a folder that are looked at for like ones
UNREADABLE_FILE = diagnostic("QF313", "{path} cannot be read: {why}", RunError)


class Broken(NamedTuple):
    """A piece of input that is not even a frame: the rule it broke and its bytes."""

    rule: str
    frame: bytes


Arrival = tuple[int, Any, str]


class Source(Protocol):
    """What ingest needs of a provider."""

    @property
    def name(self) -> str:
        """Return the provider's name."""
        ...

    @property
    def venue(self) -> str:
        """Return the venue whose mapper reads the frames."""
        ...

    @property
    def ordering(self) -> str:
        """Return arrival, or event where there is no receive time."""
        ...

    @property
    def trades(self) -> str | None:
        """Return which channel makes the trades: trade, agg_trade, or None for the first seen."""
        ...

    def identity(self) -> dict[str, Any]:
        """Return everything that decides the arrivals, as JSON values; files by content hash."""
        ...

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the arrivals from the start, in order; each call starts anew."""
        ...


@dataclass(frozen=True)
class FrameSource:
    """Frames made by a function: a simulated market, a journal, a test."""

    name: str
    venue: str
    settings: Mapping[str, Any]
    open: Callable[[], Iterator[tuple[int, bytes]]]
    ordering: str = "arrival"
    trades: str | None = None

    def identity(self) -> dict[str, Any]:
        """Return the settings that decide the frames."""
        return {"kind": "frames", "venue": self.venue, "settings": dict(self.settings)}

    def arrivals(self) -> Iterator[Arrival]:
        """Yield (receive time, frame, "")."""
        for time, frame in self.open():
            yield time, frame, ""


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's bytes. Errors: QF313."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise UNREADABLE_FILE(path=path, why=problem.strerror) from None


def find_files(pattern: str, folder: Path) -> tuple[Path, ...]:
    """Return the files a path or glob names, sorted by name. Errors: QF312."""
    path = Path(pattern).expanduser()
    path = path if path.is_absolute() else folder / path
    if not _is_glob(path):
        if not path.is_file():
            raise _missing(path)
        return (path,)
    anchor = Path(path.anchor) if path.is_absolute() else Path()
    relative = path.relative_to(anchor) if path.is_absolute() else path
    found = tuple(sorted(p for p in anchor.glob(str(relative)) if p.is_file()))
    if not found:
        raise _missing(path)
    return found


def _is_glob(path: Path) -> bool:
    return any(mark in str(path) for mark in "*?[")


def _missing(path: Path) -> QuantflowError:
    """Return QF312 with what there is instead: a folder, nothing at all, or like names."""
    if path.is_dir():
        return MISSING_FILE(path=path, hint=f"that is a folder: name its files, like {path}/*.gz")
    parent = next(each for each in path.parents if not _is_glob(each))
    if not parent.is_dir():
        start = "" if path.is_absolute() else ", seen from here"
        return MISSING_FILE(path=path, hint=f"there is no folder {parent}{start}")
    names = [each.name for each in itertools.islice(parent.iterdir(), MOST_NAMES)]
    near = () if _is_glob(path) else nearest(path.name, names)
    held = f"{parent} holds {len(names)} files and folders, none that fits"
    return MISSING_FILE(path=path, near=near, hint=held)
