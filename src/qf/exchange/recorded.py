"""The frames of a capture, with what a replay must know of each: its stream, its payload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from qf.errors import RunError, diagnostic

NOT_A_FRAME = diagnostic(
    "QF855",
    "frame {number} of the capture cannot be served again: {why}",
    RunError,
    "websocket frames and recordings are served; the rows of an archive are no frames",
)


class _Head(msgspec.Struct):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    snapshot_id: int = msgspec.field(name="lastUpdateId", default=-1)


class Recorded(NamedTuple):
    """One frame of a capture: its receive time, its bytes, its stream, and whether it is REST."""

    receive_ns: int
    frame: bytes
    stream: str  # "" where a raw frame does not say
    payload: bytes  # what a raw client is sent
    is_snapshot: bool
    symbol: str  # that a snapshot or its recording names


_head = msgspec.json.Decoder(_Head)


def recorded(arrivals: Iterable[tuple[int, object, str]], after: int = 0) -> Iterator[Recorded]:
    """Yield the frames of a source's arrivals, but for the first `after`. Errors: QF855."""
    for number, (receive_ns, frame, symbol) in enumerate(arrivals):
        if number < after:
            continue
        if not isinstance(frame, bytes):
            raise NOT_A_FRAME(number=number, why="it is a row of an archive, or damaged")
        yield _recorded(receive_ns, frame, symbol)


def _recorded(receive_ns: int, frame: bytes, symbol: str) -> Recorded:
    try:
        head = _head.decode(frame)
    except msgspec.MsgspecError:  # a bad frame is served as bad as it was
        return Recorded(receive_ns, frame, "", frame, False, symbol)
    payload = bytes(head.data) if head.stream else frame
    return Recorded(receive_ns, frame, head.stream, payload, head.snapshot_id >= 0, symbol)


def heard_by(stream: str) -> str:
    """Return what a stream's name and a subscription have alike: symbol and channel.

    The speed of a stream is left out: a capture is served at the speed it was recorded at.
    """
    return "@".join(stream.split("@")[:2]).lower()
