"""The journal: every frame of a live session in arrival order, before anything acts on it.

    <folder>/<position of its first record, 16 digits>.qfj

    segment   MAGIC, version u16, session 16 bytes, first position u64, crc32 of these u32
    record    body length u32, crc32 u32, body
    body      receive time i64 ns as the clock said it, origin u8, symbol length u8, symbol, payload

A record of origin `conflated` is no frame: it says how many frames of a symbol's stream were
dropped because the queue was full, so that the count survives a crash. Nothing is computed from it.

A record's crc begins with its position, so bytes of another place are not taken for it. Records are
durable after `sync`. What a crash tore, zeroed or lost lies at the end of the last segment: opening
cuts the file behind its last whole record, and says how much went. A bad record anywhere else was
durable once, so it is damage: an error that names it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from qf.errors import QuantflowError, RunError, diagnostic
from qf.feeds.record import MAX_FRAME_BYTES
from qf.seams import Appender, Disk

MAGIC = b"QFJOURNL"
VERSION = 1
SUFFIX = ".qfj"
SEGMENT_BYTES = 64 << 20
# What waits in memory between two syncs before it is handed to the disk.
BUFFER_BYTES = 1 << 20
CONFLATED = "conflated"
ORIGINS = ("ws", "rest", CONFLATED)

_HEAD = struct.Struct("<8sH16sQ")
_CRC = struct.Struct("<I")
_FRONT = struct.Struct("<II")
_BODY = struct.Struct("<qBB")
HEADER_BYTES = _HEAD.size + _CRC.size
LARGEST_BODY = _BODY.size + 255 + MAX_FRAME_BYTES + 1

DAMAGED = diagnostic(
    "QF340",
    "the journal is damaged: {segment}, byte {offset}, record {position}: {why}",
    RunError,
    "what was durable there is gone; keep the file, and begin a new journal in another folder",
)
OTHER_FORM = diagnostic(
    "QF341",
    "the journal segment {segment} is of version {found}, this program reads {known}",
    RunError,
    "read it with the program that wrote it",
)
TOO_LONG = diagnostic(
    "QF342", "a frame of {size} bytes is longer than a journal record may be", RunError
)


def damaged(segment: str, offset: int, position: int, why: str) -> QuantflowError:
    """Return the error that names a record which was durable once."""
    return DAMAGED(segment=segment, offset=offset, position=position, why=why)


class Frame(NamedTuple):
    """One payload as it came: receive time in ns, "" where it names its symbol itself, bytes."""

    processed_time: int
    symbol: str
    payload: bytes
    origin: str = "ws"

    @property
    def is_note(self) -> bool:
        """Say whether this is a count of dropped frames and no frame."""
        return self.origin == CONFLATED


def note_of(processed_time: int, symbol: str, stream: str, count: int) -> Frame:
    """Return the record that so many frames of a stream were dropped."""
    return Frame(processed_time, symbol, f"{stream} {count}".encode(), CONFLATED)


def read_note(note: Frame) -> tuple[str, int]:
    """Return stream and count of a record of dropped frames."""
    stream, _, count = note.payload.decode().rpartition(" ")
    return stream, int(count)


class Segment(NamedTuple):
    """A segment as far as it is whole: its frames lie in `data` up to `end`."""

    session: bytes
    first: int
    frames: list[Frame]
    end: int
    why: str  # what stands behind the end; "" where nothing does


def header_of(session: bytes, first: int) -> bytes:
    """Return the bytes that a segment begins with."""
    head = _HEAD.pack(MAGIC, VERSION, session, first)
    return head + _CRC.pack(zlib.crc32(head))


def record_of(frame: Frame, position: int) -> bytes:
    """Return a frame's record. Errors: QF342."""
    symbol = frame.symbol.encode()
    head = _BODY.pack(frame.processed_time, ORIGINS.index(frame.origin), len(symbol))
    body = b"".join((head, symbol, frame.payload))
    if len(body) > LARGEST_BODY:
        raise TOO_LONG(size=len(frame.payload))
    return _FRONT.pack(len(body), zlib.crc32(body, position & 0xFFFFFFFF)) + body


def read_segment(name: str, data: bytes, skip: int = 0) -> Segment | None:
    """Return what is whole of a segment; None where even its header is not. Errors: QF341.

    The first `skip` frames are checked and left out.
    """
    if len(data) < HEADER_BYTES:
        return None
    magic, version, session, first = _HEAD.unpack_from(data)
    (check,) = _CRC.unpack_from(data, _HEAD.size)
    if magic != MAGIC or zlib.crc32(data[: _HEAD.size]) != check:
        return None
    if version != VERSION:
        raise OTHER_FORM(segment=name, found=version, known=VERSION)
    frames: list[Frame] = []
    at, position, size = HEADER_BYTES, first, len(data)
    why = ""
    while at < size:
        why = "it breaks off"
        if at + _FRONT.size > size:
            break
        length, check = _FRONT.unpack_from(data, at)
        start = at + _FRONT.size
        if not _BODY.size <= length <= LARGEST_BODY:
            why = f"no record has {length} bytes"
            break
        if start + length > size:
            break
        body = data[start : start + length]
        if zlib.crc32(body, position & 0xFFFFFFFF) != check:
            why = "its checksum is wrong"
            break
        if position - first >= skip:
            frames.append(_frame(body))
        at, position, why = start + length, position + 1, ""
    return Segment(session, first, frames, at, why)


def _frame(body: bytes) -> Frame:
    time, origin, length = _BODY.unpack_from(body)
    start = _BODY.size + length
    symbol = body[_BODY.size : start].decode()
    return Frame(time, symbol, body[start:], ORIGINS[origin])


def segment_names(disk: Disk, folder: str) -> list[str]:
    """Return the names of a journal's segments, oldest first."""
    return [name for name in disk.names(folder) if name.endswith(SUFFIX)]


def first_position(name: str) -> int:
    """Return the position of a segment's first record, from its name."""
    return int(name.removesuffix(SUFFIX))


class Journal:
    """The journal of one session folder, open to grow; one owner at a time.

    `torn` says how many bytes opening cut off, `end` where the next record goes.
    """

    def __init__(
        self,
        disk: Disk,
        folder: str = "journal",
        session: bytes = b"",
        segment_bytes: int = 0,
    ) -> None:
        """Open it, made if it is not there; `session` names a new one.

        A segment ends behind the sync that finds it so long, SEGMENT_BYTES where 0 is said.
        Errors: QF340, OSError.
        """
        self._disk, self._folder, self._segment_bytes = disk, folder, segment_bytes or SEGMENT_BYTES
        self.session = session.ljust(16, b"\0")[:16]
        self.torn = 0
        self.end = self.durable = 0  # positions: of the next record, and behind the last safe one
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._file: Appender | None = None
        self._size = 0
        self._open()

    def append(self, frame: Frame) -> int:
        """Take a frame and return its position; it is durable after `sync`.

        Errors: QF342, OSError; then the journal must be opened anew.
        """
        position = self.end
        record = record_of(frame, position)
        self._waiting.append(record)
        self._waiting_bytes += len(record)
        self.end = position + 1
        if self._waiting_bytes > BUFFER_BYTES:
            self._hand_over()
        return position

    def sync(self) -> None:
        """Return when every frame taken survives a power loss. Errors: OSError.

        After an error nothing is known of what the disk holds: open the journal anew.
        """
        self._hand_over()
        if self._file is not None and self.durable < self.end:
            self._file.sync()
        self.durable = self.end
        if self._size >= self._segment_bytes:
            self.close()

    def read(self, position: int = 0) -> Iterator[Frame]:
        """Yield the durable frames from a position on, segment by segment. Errors: QF340."""
        names = segment_names(self._disk, self._folder)
        for place, name in enumerate(names):
            following = names[place + 1 :]
            last = first_position(following[0]) if following else self.durable
            if last <= position:
                continue
            first = first_position(name)
            if first > position:
                raise damaged(name, 0, position, "it is not there")
            found = _whole(name, self._disk.read(f"{self._folder}/{name}"), position - first)
            rest = min(last, self.durable) - position
            if len(found.frames) < rest:
                bad = position + len(found.frames)
                raise damaged(name, found.end, bad, found.why or "it is not there")
            yield from found.frames[:rest]
            position += rest

    def close(self) -> None:
        """Let the file go; what was not synced may be lost."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        names = segment_names(self._disk, self._folder)
        if not names:
            return
        name = names[-1]
        path = f"{self._folder}/{name}"
        data = self._disk.read(path)
        found = _whole(name, data, 0)
        if found.end < len(data):
            self._disk.truncate(path, found.end)
            self.torn = len(data) - found.end
        self.session = found.session
        self.end = self.durable = found.first + len(found.frames)
        self._file, self._size = self._disk.appender(path), found.end
        self._file.sync()  # a kill leaves records that no sync has promised yet

    def _hand_over(self) -> None:
        if not self._waiting:
            return
        if self._file is None:
            first = self.end - len(self._waiting)
            path = f"{self._folder}/{first:016d}{SUFFIX}"
            # Durable by itself before any record, so a bad header is never a torn one.
            self._disk.write(path, header_of(self.session, first))
            self._file, self._size = self._disk.appender(path), HEADER_BYTES
        data = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        self._file.append(data)
        self._size += len(data)


def _whole(name: str, data: bytes, skip: int) -> Segment:
    """Return a segment whose header is right. Errors: QF340, QF341."""
    found = read_segment(name, data, skip)
    first = first_position(name)
    if found is None or found.first != first:
        raise damaged(name, 0, first, "its header is wrong")
    return found
