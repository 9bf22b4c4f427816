"""The seams to the outside world: clock, chance, disk and network, handed in as one `World`.

Whatever runs live takes these from its `World` and from nowhere else, so that the shipped code runs
in a simulator under virtual time, on a disk that tears and a network that lies. Tasks, queues and
timers are asyncio's: the real world runs them on the real loop, the simulator on a loop whose time
is virtual and whose order is decided. A lint in tests/house holds `live/`, `sinks/` and the journal
to that.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Clock(Protocol):
    """Two clocks: the wall tells when, the monotonic one how long."""

    def wall_ns(self) -> int:
        """Return UTC in ns; it may step, in both directions."""
        ...

    def monotonic_ns(self) -> int:
        """Return ns that never run back; every duration is measured with it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many monotonic seconds."""
        ...


class Appender(Protocol):
    """A file that only grows."""

    def append(self, data: bytes) -> None:
        """Add bytes at the end; they are durable only after `sync`. Errors: OSError."""
        ...

    def sync(self) -> None:
        """Return when all that was appended survives a power loss. Errors: OSError."""
        ...

    def size(self) -> int:
        """Return the bytes of the file, those not yet durable included."""
        ...

    def close(self) -> None:
        """Let the file go, without a sync."""
        ...


class Disk(Protocol):
    """A folder of files, named by paths relative to it with `/` between parts.

    What is not synced may be lost, torn or zero-filled by a power loss; a rename is atomic, and
    durable after `replace` or `write` has returned. Errors everywhere: OSError.
    """

    def appender(self, path: str) -> Appender:
        """Open a file to append to, made if it is not there, its folders too."""
        ...

    def read(self, path: str, offset: int = 0, size: int | None = None) -> bytes:
        """Return a file's bytes from an offset on. Errors: FileNotFoundError."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Replace a whole file: all of it is there and durable, or none of it."""
        ...

    def truncate(self, path: str, size: int) -> None:
        """Cut a file to its first bytes, durably."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; it is no error when it is not there."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; empty when there is no such folder."""
        ...

    def size(self, path: str) -> int | None:
        """Return a file's bytes, or None when it is not there."""
        ...

    def free_bytes(self) -> int:
        """Return what the disk still has room for."""
        ...


class Closed(Exception):
    """The other side, or the way to it, is gone."""

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(f"{why} ({code})" if code else why)
        self.why, self.code = why, code


class Socket(Protocol):
    """A websocket that is open."""

    async def receive(self) -> bytes:
        """Return the next message's payload; pings are answered below. Errors: Closed."""
        ...

    async def send(self, text: bytes) -> None:
        """Send one text message. Errors: Closed."""
        ...

    async def close(self) -> None:
        """Close it; closing twice is no error."""
        ...


class Response(NamedTuple):
    """What a REST request was answered with; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Network(Protocol):
    """The way to a venue: websockets, and GET requests."""

    async def connect(self, url: str, max_message_bytes: int) -> Socket:
        """Open a websocket; longer messages close it with code 1009. Errors: Closed."""
        ...

    async def get(
        self, url: str, params: Sequence[tuple[str, str]], timeout_s: float, max_bytes: int
    ) -> Response:
        """Return the answer to a GET request. Errors: Closed (refused, late, longer)."""
        ...


@dataclass(frozen=True)
class World:
    """Everything outside that live code may touch."""

    clock: Clock
    chance: random.Random
    disk: Disk
    network: Network
