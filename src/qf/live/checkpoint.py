"""Checkpoints: the state of every line at the end of an epoch, and what it belongs to.

    checkpoint/<position, 16 digits>.qfc     MAGIC, crc32 u32, msgpack [head, body]

The state of a line in the body is packed by itself (zstd), so that no step takes long.

The head binds it: the journal's session, every line's plan and instrument, the kernels' target, the
library versions, the rule of the epochs. One that belongs to something else is refused by the name
of what differs; it is never loaded "as far as it goes". A file is written whole and durably before
the one before the last goes; a damaged one is passed over for the one before it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec
import zstandard

from qf import kernel
from qf.errors import RunError, diagnostic
from qf.seams import Disk

MAGIC = b"QFCHECK1"
FORM = 2
FOLDER = "checkpoint"
SUFFIX = ".qfc"
KEPT = 2
MOST_BYTES = 1 << 32
LIBRARIES = ("qf", "numba", "numpy", "msgspec")

NOT_OURS = diagnostic(
    "QF592",
    "the checkpoint {name} is of another {what}: {theirs}, here {ours}",
    RunError,
    "compute it again with: qf run --mode streaming --force-refresh; or restore what it was",
)
AHEAD = diagnostic(
    "QF593",
    "the checkpoint {name} is ahead of the journal, which ends at {end}: durable frames are gone",
    RunError,
    "keep the folder; begin a new session in another one",
)


class Checkpoint(NamedTuple):
    """What a file holds."""

    name: str
    position: int
    head: dict[str, Any]
    body: dict[str, Any]


def head_of(session: bytes, lines: Mapping[str, Mapping[str, Any]], rule: Any) -> dict[str, Any]:
    """Return what a checkpoint of these lines is bound to."""
    return {
        "form": FORM,
        "journal": session.hex(),
        "kernels": kernel.cache_folder().name,
        "versions": {name: version(name) for name in LIBRARIES},
        "epochs": list(rule),
        "lines": {symbol: dict(identity) for symbol, identity in lines.items()},
    }


def pack(head: Mapping[str, Any], body: Mapping[str, Any]) -> bytes:
    """Return a checkpoint as bytes."""
    data = msgspec.msgpack.encode([head, body])
    return MAGIC + zlib.crc32(data).to_bytes(4, "little") + data


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return head and body; None where the bytes are damaged."""
    if data[:8] != MAGIC or zlib.crc32(data[12:]) != int.from_bytes(data[8:12], "little"):
        return None
    try:
        head, body = msgspec.msgpack.decode(data[12:])
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None
    return head, body


def pack_state(state: Mapping[str, Any]) -> bytes:
    """Return the state of one line as bytes."""
    return zstandard.ZstdCompressor(1).compress(msgspec.msgpack.encode(state))


def unpack_state(data: bytes) -> dict[str, Any]:
    """Return the state that `pack_state` was given."""
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(data, MOST_BYTES))


def save(disk: Disk, position: int, data: bytes) -> None:
    """Write a checkpoint durably, then remove all but the newest ones. Errors: OSError."""
    disk.write(f"{FOLDER}/{position:016d}{SUFFIX}", data)
    names = [name for name in disk.names(FOLDER) if name.endswith(SUFFIX)]
    for name in names[:-KEPT]:
        disk.remove(f"{FOLDER}/{name}")


def newest(disk: Disk) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest checkpoint that is whole, and the names of the damaged ones after it."""
    damaged = []
    names = [name for name in disk.names(FOLDER) if name.endswith(SUFFIX)]
    for name in reversed(names):
        found = unpack(disk.read(f"{FOLDER}/{name}"))
        if found is not None:
            return Checkpoint(name, int(name.removesuffix(SUFFIX)), *found), damaged
        damaged.append(name)
    return None, damaged


def refuse_other(found: Checkpoint, head: Mapping[str, Any], end: int) -> None:
    """Refuse a checkpoint of another plan, machine, library, journal. Errors: QF592, QF593."""
    difference = _difference(found.head, head)
    if difference is not None:
        what, theirs, ours = difference
        raise NOT_OURS(name=found.name, what=what, theirs=theirs, ours=ours)
    if found.position > end:
        raise AHEAD(name=found.name, end=end)


def _difference(theirs: Any, ours: Any, what: str = "") -> tuple[str, Any, Any] | None:
    """Return the first thing that differs: its name, and both values."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in {**ours, **theirs}:
            path = f"{what} {name}".strip()
            if name not in theirs or name not in ours:
                return path, theirs.get(name, "none"), ours.get(name, "none")
            found = _difference(theirs[name], ours[name], path)
            if found is not None:
                return found
        return None
    return None if theirs == ours else (what, theirs, ours)
