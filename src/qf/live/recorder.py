"""Record what a venue sends: lines of `<receive ns> <json>`, the form that `kind: capture` reads.

    <folder>/<venue>-<UTC of its first frame>.jsonl.gz (or .zst, .jsonl)

1. frames are written in the order of their arrival; each second what is packed so far is made
   durable, so that a power loss takes a second at most
2. a book whose ids break, or that has just begun, asks for a snapshot: the recording can be
   replayed from any file on, and through every gap
3. a file ends when it is large enough or when the UTC day ends; every file begins with fresh
   snapshots and is a whole stream of its own

A REST answer names no symbol, so it is written in the venue's combined form:
`{"stream":"btcusdt@book","data":…}`.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import zstandard

from qf.clock import DAY_NS, SECOND_NS
from qf.feeds.live_face import Glance
from qf.live.venue_session import VenuePlan, VenueSession
from qf.seams import Appender, World
from qf.tape.journal import Frame

FORMS = {"gz": ".jsonl.gz", "zst": ".jsonl.zst", "plain": ".jsonl"}
TICK_S = 0.1


class Packer(Protocol):
    """What packs bytes on their way to a file."""

    def pack(self, data: bytes) -> bytes:
        """Return what may be written already."""
        ...

    def settle(self) -> bytes:
        """Return everything given so far, so that it can be read."""
        ...

    def end(self) -> bytes:
        """Return the rest: the stream is whole."""
        ...


class Gzip:
    """One gzip member."""

    def __init__(self) -> None:
        self._pack = zlib.compressobj(6, zlib.DEFLATED, 31)

    def pack(self, data: bytes) -> bytes:
        """Pack."""
        return self._pack.compress(data)

    def settle(self) -> bytes:
        """Bring the stream to a byte's end."""
        return self._pack.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        """Finish the member."""
        return self._pack.flush(zlib.Z_FINISH)


class Zstd:
    """One zstd frame."""

    def __init__(self) -> None:
        self._pack = zstandard.ZstdCompressor(3).compressobj()

    def pack(self, data: bytes) -> bytes:
        """Pack."""
        return self._pack.compress(data)

    def settle(self) -> bytes:
        """Finish the block."""
        return self._pack.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def end(self) -> bytes:
        """Finish the frame."""
        return self._pack.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)


class Plain:
    """Nothing is packed."""

    def pack(self, data: bytes) -> bytes:
        """Return it."""
        return data

    def settle(self) -> bytes:
        """Return nothing."""
        return b""

    def end(self) -> bytes:
        """Return nothing."""
        return b""


PACKERS: dict[str, Callable[[], Packer]] = {"gz": Gzip, "zst": Zstd, "plain": Plain}


@dataclass
class Chain:
    """Whether the differences of a symbol follow each other since its last snapshot."""

    futures: bool
    reason: str = "unsynced"
    last_id: int = -1
    next_trade: int = 0

    def difference(self, glance: Glance) -> None:
        """Take the ids of a difference; a hole asks for a snapshot."""
        if self.last_id >= 0 and glance.last_id > self.last_id:
            if self.futures:
                broken = glance.prev_id != self.last_id
            else:
                broken = glance.first_id > self.last_id + 1
            if broken:
                self.reason = "gap"
        self.last_id = max(self.last_id, glance.last_id)


class Recorder:
    """What a venue session hands its frames to: they are written down."""

    def __init__(self, world: World, plan: VenuePlan, form: str, roll_bytes: int) -> None:
        self._world, self._plan, self._form, self._roll = world, plan, form, roll_bytes
        futures = plan.mapper.CONTINUITY == "futures"
        self._chains = {symbol: Chain(futures) for symbol in plan.symbols}
        self._file: Appender | None = None
        self._packer: Packer = Plain()
        self._day = 0
        self.files: list[str] = []
        self.frames = self.bytes = 0

    def offer(self, frame: Frame) -> bool:
        """Write a frame down."""
        payload = frame.payload
        if frame.origin == "rest":
            payload = self._named(frame)
        else:
            glance = self._plan.face.glance(payload)
            if glance.kind == "depth" and glance.symbol in self._chains:
                self._chains[glance.symbol].difference(glance)
        if b"\n" in payload or b"\r" in payload:
            payload = payload.replace(b"\r", b" ").replace(b"\n", b" ")
        line = b"%d %s\n" % (frame.processed_time, payload)
        self._turn(frame.processed_time)
        assert self._file is not None
        self._file.append(self._packer.pack(line))
        self.frames += 1
        self.bytes += len(line)
        return True

    async def room(self) -> None:
        """Return: there is always room."""

    def conflate(self, symbol: str, stream: str = "depth") -> None:
        """Nothing is dropped here."""

    def book_state(self, symbol: str) -> Chain:
        """Return whether the recording of a symbol has a snapshot to stand on."""
        return self._chains[symbol]

    def settle(self) -> None:
        """Make what was written durable."""
        if self._file is not None:
            self._file.append(self._packer.settle())
            self._file.sync()

    def close(self) -> None:
        """End the file in order."""
        if self._file is not None:
            self._file.append(self._packer.end())
            self._file.sync()
            self._file.close()
            self._file = None

    def _turn(self, time: int) -> None:
        """Begin a file if none is open, this one is full, or the day is over."""
        day = time // DAY_NS
        if self._file is not None and self._file.size() < self._roll and day == self._day:
            return
        self.close()
        moment = datetime.fromtimestamp(time // SECOND_NS, UTC).strftime("%Y%m%dT%H%M%S")
        stem = f"{self._plan.mapper.VENUE}-{moment}-{time % SECOND_NS:09d}"
        name = stem + FORMS[self._form]
        self._file, self._packer, self._day = (
            self._world.disk.appender(name),
            PACKERS[self._form](),
            day,
        )
        self.files.append(name)
        for chain in self._chains.values():
            chain.reason = "unsynced"

    def _named(self, frame: Frame) -> bytes:
        """Return a REST answer with its symbol, in the venue's combined form."""
        is_book = b'"lastUpdateId"' in frame.payload[:4096]
        if is_book:
            self._chains[frame.symbol].reason = ""
        channel = "book" if is_book else "listed" if b'"id"' in frame.payload else "listed_agg"
        head = json.dumps(f"{frame.symbol.lower()}@{channel}").encode()
        return b'{"stream":%s,"data":%s}' % (head, frame.payload)


async def record(
    world: World,
    plan: VenuePlan,
    recorder: Recorder,
    seconds: float | None,
    told: Callable[[dict[str, Any]], None],
) -> None:
    """Record until the time is over or the task is cancelled; `told` hears of it each second."""
    session = VenueSession(world, plan, recorder)
    bringing = asyncio.get_running_loop().create_task(session.run())
    began = settled = world.clock.monotonic_ns()
    try:
        while seconds is None or world.clock.monotonic_ns() - began < seconds * SECOND_NS:
            await world.clock.sleep(TICK_S)
            session.check()
            if bringing.done():
                bringing.result()
            now = world.clock.monotonic_ns()
            if now - settled >= SECOND_NS:
                settled = now
                recorder.settle()
                told(session.status())
    finally:
        bringing.cancel()
        await asyncio.wait((bringing,))
        recorder.close()
