"""A set of streams that stays connected: one connection speaks, a second takes over before it ends.

    connect ──► active ──► it ends ──► back-off ──► connect
                  │ 23 h 50, serverShutdown, a stalled or mute stream
                  ▼
               candidate (its frames wait) ──caught up──► active; the older one is closed

A candidate that brings nothing within `CANDIDATE_NS` is dropped, and the next one comes later.
Order: the frames of one connection go on as they came; at a hand-over those of the candidate follow
those of the older one, and what both brought is told apart by its ids on the tape.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qf.clock import SECOND_NS
from qf.feeds.live_face import Glance, LiveFace
from qf.feeds.record import MAX_FRAME_BYTES
from qf.live.backoff import Backoff
from qf.live.connection import Connection
from qf.seams import Closed, World

CANDIDATE_NS = 15 * SECOND_NS
LONGEST_OVERLAP_NS = 5 * SECOND_NS
RECENT_NS = 2 * SECOND_NS
RECONNECT_CAP_S = 6.0  # a venue that is well again is not kept waiting for longer
BUSY_AGAIN_NS = 4 * SECOND_NS
LIFE_SPREAD_S = 300.0
FULL_S = 0.01
DOOMED = "the venue shuts the connection down"
BREATH = 64  # messages read in a row before other tasks get their turn

Forward = Callable[[Glance, bytes], Awaitable[None]]


@dataclass(frozen=True)
class LinkPlan:
    """What a link needs of its venue."""

    face: LiveFace
    url: str
    streams: Mapping[str, str]  # name -> kind
    quiet_s: Mapping[str, float]


class Link:
    """One set of streams; `run` keeps it connected until it is cancelled."""

    def __init__(self, world: World, plan: LinkPlan, forward: Forward) -> None:
        self._world, self.plan, self._forward = world, plan, forward
        self.backoff = Backoff(world.chance, cap_s=RECONNECT_CAP_S)
        self.replacing = Backoff(world.chance, first_s=1.0, cap_s=60.0, steady_s=120.0)
        self._before: Connection | None = None  # the one that spoke last: its streams' rates
        self.active: Connection | None = None
        self.candidate: Connection | None = None
        self.connects = self.breaks = self.replacements = self.control = 0
        self.last_reason = ""
        self._replace_why = ""
        self._not_before = self._last_try = 0
        self._life_ns = self._draw_life()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Keep the streams coming."""
        try:
            while True:
                if self.active is None:
                    await self._begin()
                    continue
                await self._changed.wait()
                self._changed.clear()
                if self.active.closed_why is not None:
                    await self._lost(self.active)
                elif self.candidate is not None:
                    await self._attend(self.candidate)
                elif self._replace_why:
                    await self._invite()
        finally:
            for connection in (self.active, self.candidate):
                if connection is not None:
                    connection.abandon()
            self.active = self.candidate = None

    def check(self) -> None:
        """Look at time: called some times a second."""
        now = self._now()
        active = self.active
        if active is None:
            return
        if self.candidate is not None:
            self._changed.set()
            return
        self.replacing.held((now - active.opened) / SECOND_NS)
        why = self._why_replace(active, now)
        if why and now >= self._not_before:
            self._replace_why = why
            self._changed.set()

    def status(self) -> dict[str, Any]:
        """Return the link's state as plain data."""
        now, active = self._now(), self.active
        streams = active.streams if active else {}
        return {
            "connected": active is not None,
            "age_s": round((now - active.opened) / SECOND_NS, 3) if active else None,
            "connects": self.connects,
            "breaks": self.breaks,
            "replacements": self.replacements,
            "replacing": self.candidate is not None,
            "last_reason": self.last_reason,
            "streams": {
                name: {
                    "live": stream.is_live,
                    "stalled": stream.is_stalled(now),
                    "silent_ms": stream.silent_ns(now) // 1_000_000,
                    "typical_ms": round(stream.typical_ns / 1e6, 3),
                    "payloads": stream.seen + stream.is_live,
                }
                for name, stream in streams.items()
            },
        }

    def _why_replace(self, active: Connection, now: int) -> str:
        if self._replace_why or active.doomed:
            return self._replace_why or DOOMED
        if now - active.opened >= self._life_ns:
            return "its time is nearly over"
        silent = sorted(active.stalled(now) + active.mute(now))
        if not silent:
            return ""
        # A stream that is known to be busy is soon tried again; a quiet one may just be quiet.
        if any(active.streams[name].is_busy for name in silent):
            self._not_before = min(self._not_before, self._last_try + BUSY_AGAIN_NS)
        return f"silent: {', '.join(silent[:4])}"

    async def _begin(self) -> None:
        """Open the connection that speaks; on failure wait."""
        opened = await self._open()
        if opened is None:
            await self._world.clock.sleep(self.backoff.next())
            return
        self.active, self._replace_why = opened, ""
        self._read_on(opened)

    async def _invite(self) -> None:
        """Open a candidate beside the connection that still speaks."""
        self._last_try = self._now()
        self._not_before = self._last_try + int(self.replacing.next() * SECOND_NS)
        why = self._replace_why
        self.candidate = await self._open()
        if self.candidate is not None:
            self.last_reason = why
            self._read_on(self.candidate)

    async def _open(self) -> Connection | None:
        plan = self.plan
        url = f"{plan.url}/stream?streams={'/'.join(plan.streams)}"
        try:
            socket = await self._world.network.connect(url, MAX_FRAME_BYTES)
        except Closed as refused:
            self.last_reason = str(refused)
            return None
        self.connects += 1
        self._life_ns = self._draw_life()
        opened = Connection(socket, plan.streams, plan.quiet_s, self._now())
        older = self.active or self._before
        if older is not None:
            opened.learn(older)
        return opened

    async def _lost(self, active: Connection) -> None:
        """Let the candidate take over from a connection that ended, or connect anew."""
        self.breaks += 1
        self.last_reason = active.closed_why or ""
        self.backoff.held((self._now() - active.opened) / SECOND_NS)
        if self.candidate is not None and self.candidate.closed_why is None:
            await self._hand_over(self.candidate)
            return
        await self._drop_candidate()
        self.active, self._before = None, active
        await active.close()
        await self._world.clock.sleep(self.backoff.next())

    async def _attend(self, candidate: Connection) -> None:
        """See whether the candidate may take over, or has to go."""
        now, active = self._now(), self.active
        if candidate.closed_why is not None:
            await self._drop_candidate()
            return
        age = now - candidate.opened
        if candidate.payloads == 0:
            if age > CANDIDATE_NS:
                self.last_reason = "the new connection stayed silent"
                await self._drop_candidate()
            return
        waited = not candidate.has_room or age > LONGEST_OVERLAP_NS
        if active is None or waited or candidate.has_caught_up(active, now, RECENT_NS):
            await self._hand_over(candidate)

    async def _hand_over(self, candidate: Connection) -> None:
        older = self.active
        if older is not None:
            await older.close()
        while candidate.held:
            await self._forward(*candidate.release())
        # Nothing is awaited here: a frame that comes now finds the candidate active.
        self.active, self.candidate, self._replace_why = candidate, None, ""
        self.replacements += 1
        if candidate.closed_why is not None:
            self._changed.set()

    async def _drop_candidate(self) -> None:
        candidate, self.candidate = self.candidate, None
        if candidate is not None:
            await candidate.close()

    def _read_on(self, connection: Connection) -> None:
        connection.reader = asyncio.get_running_loop().create_task(self._read(connection))

    async def _read(self, connection: Connection) -> None:
        try:
            while True:
                for _ in range(BREATH):
                    await self._take(connection, await connection.socket.receive())
                    if connection.retired:
                        return
                await asyncio.sleep(0)
        except Closed as gone:
            connection.closed_why = str(gone)
            self._changed.set()

    async def _take(self, connection: Connection, payload: bytes) -> None:
        glance = self.plan.face.glance(payload)
        connection.note(glance, self._now())
        if glance.kind in ("answer", "shutdown"):
            self.control += 1
            if glance.kind == "shutdown":
                connection.doomed = True
                self._replace_why = DOOMED if connection is self.active else self._replace_why
                self._changed.set()
            return
        while connection is self.candidate and not connection.has_room:
            self._changed.set()  # it is full: it takes over now, and its socket waits until it has
            await self._world.clock.sleep(FULL_S)
        if connection is self.candidate:
            connection.hold(glance, payload)
        else:
            await self._forward(glance, payload)

    def _draw_life(self) -> int:
        early = self._world.chance.random() * LIFE_SPREAD_S
        return int((self.plan.face.life_s - early) * SECOND_NS)

    def _now(self) -> int:
        return self._world.clock.monotonic_ns()
