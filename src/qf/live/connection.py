"""One open websocket: its streams, which of them live, and what it holds while it is a candidate.

A candidate is the connection that is to take over from another one. Its frames wait in order until
it has caught up, so that no difference overtakes the one before it on the older connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

from qf.clock import SECOND_NS
from qf.feeds.live_face import Glance
from qf.live.liveness import BUSY_NS, Liveness
from qf.seams import Socket

MOST_HELD, MOST_HELD_BYTES = 50_000, 64 << 20
FIRST_PAYLOAD_NS = 10 * SECOND_NS
NEVER_NS = 365 * 86_400 * SECOND_NS
# Channels that speak on their own, whether or not anybody trades.
STEADY = ("depth", "partial_depth", "bbo", "mark")


class Connection:
    """A socket that is open, since a monotonic time."""

    def __init__(
        self, socket: Socket, streams: Mapping[str, str], quiet: Mapping[str, float], now: int
    ) -> None:
        """Take the streams it was asked for, name -> kind, and how long a quiet kind may rest."""
        self.socket, self.opened = socket, now
        self.kinds = dict(streams)
        self.streams = {
            name: Liveness(int(quiet.get(kind, 0.0) * SECOND_NS) or NEVER_NS)
            for name, kind in streams.items()
        }
        self.first_ids: dict[str, int] = {}
        self.last_ids: dict[str, int] = {}
        self.held: deque[tuple[Glance, bytes]] = deque()
        self.held_bytes = 0
        self.payloads = 0
        self.closed_why: str | None = None
        self.retired = False
        self.doomed = False  # the venue said that it will close it
        self.reader: asyncio.Task[None] | None = None

    def learn(self, older: Connection) -> None:
        """Take over how often each stream spoke on the connection before."""
        for name, stream in self.streams.items():
            if name in older.streams:
                stream.believe(older.streams[name].typical_ns, older.streams[name].seen)

    def note(self, glance: Glance, now: int) -> None:
        """Take in that a payload came: its stream lives, and how far its ids are."""
        self.payloads += 1
        stream = self.streams.get(glance.stream)
        if stream is None:
            return
        stream.payload(now)
        if glance.last_id >= 0:
            self.first_ids.setdefault(glance.stream, glance.first_id)
            self.last_ids[glance.stream] = glance.last_id

    @property
    def has_room(self) -> bool:
        """Say whether a candidate may hold more."""
        return len(self.held) < MOST_HELD and self.held_bytes < MOST_HELD_BYTES

    def hold(self, glance: Glance, payload: bytes) -> None:
        """Keep a frame of a candidate."""
        self.held.append((glance, payload))
        self.held_bytes += len(payload)

    def release(self) -> tuple[Glance, bytes]:
        """Return the oldest frame that is held."""
        found = self.held.popleft()
        self.held_bytes -= len(found[1])
        return found

    def stalled(self, now: int) -> list[str]:
        """Return the streams that have been silent for too long."""
        return [name for name, stream in self.streams.items() if stream.is_stalled(now)]

    def mute(self, now: int) -> list[str]:
        """Return the streams that should have spoken by now and never did."""
        age, found = now - self.opened, []
        for name, stream in self.streams.items():
            if stream.is_live or self.kinds[name] not in STEADY:
                continue
            if age > (BUSY_NS if stream.is_busy else FIRST_PAYLOAD_NS):
                found.append(name)
        return found

    def has_caught_up(self, older: Connection, now: int, recent_ns: int) -> bool:
        """Say whether every stream that speaks on the older connection goes on here without a hole.

        For differences and trades: the older one has brought the id before this one's first.
        """
        for name, stream in older.streams.items():
            if not stream.is_live or stream.silent_ns(now) > recent_ns:
                continue
            if name not in self.streams:
                continue
            if not self.streams[name].is_live:
                return False
            first = self.first_ids.get(name)
            if first is not None and older.last_ids.get(name, first) < first - 1:
                return False
        return True

    async def close(self) -> None:
        """Close the socket; the frame that is on its way still goes on, then reading ends."""
        self.retired = True
        await self.socket.close()
        reader, self.reader = self.reader, None
        if reader is not None:
            await asyncio.wait((reader,))

    def abandon(self) -> None:
        """Stop reading at once: the whole session ends."""
        if self.reader is not None:
            self.reader.cancel()
