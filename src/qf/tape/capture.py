"""Raw captures: lines of "<receive time> <json>", gz, zst or plain, told apart by magic bytes.

1. the files of a provider continue each other in name order
2. each is unpacked and cut into lines by chunks, so memory does not grow with the file
3. the first receive time is checked against the declared unit
4. a file that ends in the middle of its compressed stream is an error, or a marked gap
A file whose first line is a {"t": "header"} record is a session recording: see recording.py.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from qf.clock import EARLIEST_NS, LATEST_NS, UNIT_NS, format_time
from qf.errors import Place, RunError, diagnostic
from qf.feeds.record import MAX_FRAME_BYTES
from qf.tape import recording
from qf.tape.source import UNREADABLE_FILE, Arrival, Broken, hash_file

CHUNK_BYTES = 1 << 18
MAX_LINE_BYTES = MAX_FRAME_BYTES + 64
GZIP_MAGIC, ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

WRONG_UNIT = diagnostic(
    "QF314",
    "{path} starts at receive time {time}, which in {unit} is not between 2005 and 2100",
    hint="{advice}",
)
TRUNCATED = diagnostic(
    "QF315",
    "{path} ends inside its {form} stream at byte {offset}, after {frames} whole frames",
    RunError,
    "fetch the file again, or write `truncated: accept` to keep what is there and mark the gap",
)
DAMAGED = diagnostic(
    "QF316",
    "{path} is damaged: its {form} stream breaks at byte {offset}, after {frames} whole frames",
    RunError,
    "fetch the file again, or write `truncated: accept` to keep what is there and mark the gap",
)
NO_RECEIVE_TIME = diagnostic(
    "QF317",
    '{path} does not start with a line of the form "<receive time> <json>"',
    hint="a capture has one frame per line, each after its receive time and one space",
)


class _End(Exception):
    """Say that a compressed stream stopped where it should not, and how far it was read."""

    def __init__(self, form: str, offset: int, damaged: bool, rest: bytes) -> None:
        super().__init__(form)
        self.form, self.offset, self.damaged, self.rest = form, offset, damaged, rest


@dataclass(frozen=True)
class CaptureSource:
    """The files of one capture provider."""

    name: str
    venue: str
    paths: tuple[Path, ...]
    time_unit: str
    truncated: str = "refuse"
    trades: str | None = None
    ordering: str = "arrival"

    def identity(self) -> dict[str, Any]:
        """Return the settings and the files' hashes, without the paths."""
        return {
            "kind": "capture",
            "venue": self.venue,
            "time_unit": self.time_unit,
            "truncated": self.truncated,
            "trades": self.trades,
            "ordering": self.ordering,
            "files": [hash_file(path) for path in self.paths],
        }

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the frames of all files. Errors: QF313-QF317."""
        for path in self.paths:
            lines = read_lines(path, self.truncated == "accept")
            first = next(lines, None)
            if first is None:
                continue
            if isinstance(first, bytes) and recording.is_header(first):
                yield from recording.arrivals(lines)
            else:
                yield from _read(path, first, lines, self.time_unit)


def _read(
    path: Path, first: bytes | Broken, lines: Iterator[bytes | Broken], unit: str
) -> Iterator[Arrival]:
    scale = UNIT_NS[unit]
    time = _first_time(path, first, unit)
    line: bytes | Broken | None = first
    while line is not None:
        if isinstance(line, Broken):
            yield time, line, ""
        else:
            stamp, _, frame = line.partition(b" ")
            try:
                found = int(stamp) * scale if len(stamp) <= 20 and stamp.isdigit() else 0
            except ValueError:
                found = 0
            if EARLIEST_NS <= found <= LATEST_NS:
                time = found
                yield time, frame, ""
            elif line.strip():
                # The frame's place is known, its time is not: it keeps the previous time.
                yield time, Broken("receive_time_unreadable", line), ""
        line = next(lines, None)


def _first_time(path: Path, line: bytes | Broken, unit: str) -> int:
    text = line if isinstance(line, bytes) else line.frame
    stamp = text.partition(b" ")[0]
    place = Place(str(path), 1)
    if not stamp.isdigit() or len(stamp) > 20:
        raise NO_RECEIVE_TIME(path=path.name, place=place)
    time = int(stamp)
    if EARLIEST_NS <= time * UNIT_NS[unit] <= LATEST_NS:
        return time * UNIT_NS[unit]
    right = [u for u, scale in UNIT_NS.items() if EARLIEST_NS <= time * scale <= LATEST_NS]
    advice = "no unit makes a time of this number; is the first column the receive time?"
    if right:
        moment = format_time(time * UNIT_NS[right[0]])
        advice = f"it looks like {right[0]} ({moment}): write `time_unit: {right[0]}`"
    raise WRONG_UNIT(path=path.name, time=time, unit=unit, advice=advice, place=place)


def read_lines(path: Path, accept: bool) -> Iterator[bytes | Broken]:
    """Yield the file's lines; a stream that breaks off raises, or ends in one Broken."""
    count, rest, skipping = 0, b"", False
    try:
        for chunk in _chunks(path):
            pieces = (rest + chunk).split(b"\n")
            rest = pieces.pop()
            if skipping and pieces:
                pieces, skipping = pieces[1:], False
            for piece in pieces:
                count += 1
                yield piece
            if len(rest) > MAX_LINE_BYTES:
                # A line without end would eat the memory: keep its head, drop the rest of it.
                if not skipping:
                    count += 1
                    yield Broken("too_large", rest[:4096])
                rest, skipping = b"", True
    except _End as end:
        kind = DAMAGED if end.damaged else TRUNCATED
        if not accept:
            raise kind(path=path, form=end.form, offset=end.offset, frames=count) from None
        yield Broken("truncated", (rest + end.rest)[-4096:])
        return
    except OSError as problem:
        raise UNREADABLE_FILE(path=path, why=problem.strerror) from None
    if rest.strip() and not skipping:
        yield rest


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head.startswith(GZIP_MAGIC):
            yield from _inflate(file, "gzip", lambda: zlib.decompressobj(31), 1 << 14)
        elif head.startswith(ZSTD_MAGIC):
            unpack = zstandard.ZstdDecompressor(max_window_size=1 << 27)
            yield from _inflate(file, "zstd", unpack.decompressobj, 1 << 10)
        else:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


def _inflate(file: Any, form: str, open_member: Any, step: int) -> Iterator[bytes]:
    """Unpack member after member by `step` input bytes, which bounds what one step can grow to.

    Deflate grows at most 1,032 times (16 MB a step), zstd one 128 kB block per 4 bytes (32 MB).
    """
    offset, member, fresh = 0, open_member(), True
    while chunk := file.read(step):
        while chunk:
            try:
                made = member.decompress(chunk)
            except (zlib.error, zstandard.ZstdError):
                raise _End(form, offset, True, b"") from None
            fresh = False
            if made:
                yield made
            rest = member.unused_data if member.eof else b""
            offset += len(chunk) - len(rest)
            if member.eof:
                member, fresh = open_member(), True
                rest = rest.lstrip(b"\0")  # tar-style padding after the last member
            chunk = rest
    if not fresh:
        raise _End(form, offset, False, b"")
