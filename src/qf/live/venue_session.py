"""One venue live: its connections, its questions over REST, and its symbols' books and trades.

1. frames go to the engine in the order of their arrival; while its queue is full book differences
   are dropped and counted, everything else waits, and with it the reading of its socket
2. a symbol whose book is not usable asks for a snapshot once its differences flow (resync.py)
3. what no stream carries (open interest) is asked for over REST every few seconds
4. a hole in the trade ids is asked for over REST; the answers are frames too (trade_holes.py)
5. event times give the clock offset and, above it, the delay of the way here (clock_offset.py)

Only frames that reach the engine change a number; nothing here does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from qf.clock import SECOND_NS
from qf.feeds.live_face import Glance
from qf.feeds.record import Quarantine
from qf.live.arrival_clock import ArrivalClock
from qf.live.backoff import Backoff
from qf.live.clock_offset import ClockOffset
from qf.live.latency import Latency
from qf.live.link import Link, LinkPlan
from qf.live.rest import Rest
from qf.live.resync import Resync
from qf.live.trade_holes import TradeHoles
from qf.live.venue_plan import VenuePlan
from qf.seams import World
from qf.tape.journal import Frame

# The budget bounds the requests; this bounds how long a book waits once its venue is well again.
RESYNC_CAP_S = 4.0


class Book(Protocol):
    """What the session must know of a book; see live/line.py."""

    @property
    def reason(self) -> str:
        """Return "" where it is valid, else why it is not."""
        ...

    @property
    def next_trade(self) -> int:
        """Return the id that the next trade should have; 0 before the first."""
        ...


class Heart(Protocol):
    """What the session needs of the engine; see live/engine.py."""

    def offer(self, frame: Frame) -> bool:
        """Take a frame, or return False while the queue is full."""
        ...

    async def room(self) -> None:
        """Return when the queue has room again."""
        ...

    def conflate(self, symbol: str, stream: str = "depth") -> None:
        """Count a frame that was dropped because the queue was full."""
        ...

    def book_state(self, symbol: str) -> Book:
        """Return how a symbol's book stands after the frames that were computed."""
        ...


class VenueSession:
    """The live side of one provider; `run` until cancelled, `check` some times a second."""

    def __init__(self, world: World, plan: VenuePlan, heart: Heart) -> None:
        self._world, self.plan, self._heart = world, plan, heart
        clock = world.clock
        self.rest = Rest(world, plan.name, plan.rest_url, plan.face.weight_per_minute)
        self.offset = ClockOffset(clock.wall_ns(), clock.monotonic_ns())
        self.arrivals = ArrivalClock(clock)
        self.latency = Latency()
        self.resyncs = {
            symbol: Resync(Backoff(world.chance, cap_s=RESYNC_CAP_S, steady_s=10.0))
            for symbol in plan.symbols
        }
        self.holes = {symbol: TradeHoles[bytes]() for symbol in plan.symbols}
        self.links = [Link(world, each, self._forward) for each in _link_plans(plan)]
        self.messages = self.bytes = self.unreadable = self.refused_answers = 0
        self._depth_seen: set[str] = set()
        self._asking: set[str] = set()  # symbols whose missing trades are being asked for
        self._ending: set[str] = set()  # and those whose hole is being given up
        # Trades of one symbol go on one after the other, whoever brings them, also while the
        # queue is full.
        self._order = {symbol: asyncio.Lock() for symbol in plan.symbols}
        self._next_ask = clock.monotonic_ns()
        self._asked: set[str] = set()  # kinds that REST alone gives, and is being asked for
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_message: Callable[[Glance], None] | None = None  # who looks on

    async def run(self) -> None:
        """Keep every link connected."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(link.run()) for link in self.links]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in (*tasks, *self._tasks):
                task.cancel()

    def check(self) -> None:
        """Look at time and at the books: replace, ask, declare."""
        now = self._world.clock.monotonic_ns()
        for link in self.links:
            link.check()
        for symbol in self.plan.symbols:
            if self.plan.book:
                self._check_book(symbol, now)
            self._check_trades(symbol, now)
        if now >= self._next_ask:
            self._next_ask = now + int(self.plan.face.asked_every_s * SECOND_NS)
            for kind in self.plan.kinds:
                if kind in self.plan.face.asked and kind not in self._asked:
                    self._asked.add(kind)
                    self._start(self._ask(kind))

    def status(self) -> dict[str, Any]:
        """Return the venue's state as plain data."""
        budget, now = self.rest.budget, self._world.clock.monotonic_ns()
        offset = self.offset.offset_ns
        return {
            "venue": self.plan.mapper.VENUE,
            "messages": self.messages,
            "bytes": self.bytes,
            "unreadable": self.unreadable,
            "control": sum(link.control for link in self.links),
            "clock_offset_ms": None if offset is None else round(offset / 1e6, 3),
            "delay": self.latency.summary(),
            "rest": {
                "asked": self.rest.asked,
                "failed": self.rest.failed,
                "refused_answers": self.refused_answers,
                "bans": budget.bans,
                "banned_s": round(max(0, budget.banned_until - now) / SECOND_NS, 3),
                "weight_spent": budget.spent,
                "weight_left": round(budget.tokens, 1),
                "last_problem": self.rest.last_problem,
            },
            "links": [link.status() for link in self.links],
            "symbols": {symbol: self._symbol_status(symbol) for symbol in self.plan.symbols},
        }

    def _symbol_status(self, symbol: str) -> dict[str, Any]:
        holes, resync = self.holes[symbol], self.resyncs[symbol]
        return {
            "snapshots_asked": resync.asked,
            "trade_holes": holes.found,
            "trades_filled": holes.filled,
            "trades_missing": holes.declared,
            "trades_held": len(holes.held),
        }

    async def _forward(self, glance: Glance, payload: bytes) -> None:
        """Hand a frame on, in order; trades by their ids."""
        if self.on_message is not None:
            self.on_message(glance)
        now = self._world.clock.monotonic_ns()
        self.messages += 1
        self.bytes += len(payload)
        if glance.time:
            self.latency.add(self.offset.add(glance.time, now), now)
        if glance.kind == "unreadable":
            self.unreadable += 1
        elif glance.kind == "depth":
            self._depth_seen.add(glance.symbol)
        holes = self.holes.get(glance.symbol) if glance.kind == self.plan.trades else None
        if holes is None or glance.last_id < 0:
            await self._give(glance.symbol, glance.kind, payload)
            return
        async with self._order[glance.symbol]:
            if holes.next_id is None:
                # Trades that were made while nobody listened are a hole like any other.
                holes.next_id = self._heart.book_state(glance.symbol).next_trade or None
            for each in holes.take(glance.last_id, payload, len(payload), now):
                await self._give(glance.symbol, glance.kind, each)

    async def _give(self, symbol: str, kind: str, payload: bytes, origin: str = "ws") -> None:
        """Offer a frame; at the cap a difference is dropped, everything else waits."""
        hint = symbol if origin == "rest" else ""
        while not self._heart.offer(Frame(self.arrivals.now_ns(), hint, payload, origin)):
            if kind == "depth" and symbol in self.resyncs:
                self._heart.conflate(symbol)
                return
            await self._heart.room()

    def _check_book(self, symbol: str, now: int) -> None:
        resync = self.resyncs[symbol]
        reason = self._heart.book_state(symbol).reason
        if resync.wants(reason, symbol in self._depth_seen, now):
            resync.ask()
            self._start(self._fetch_snapshot(symbol))

    async def _fetch_snapshot(self, symbol: str) -> None:
        request, resync = self.plan.face.snapshot, self.resyncs[symbol]
        params = (("symbol", symbol), ("limit", str(request.limit)))
        body = await self.rest.get(request, params)
        now = self._world.clock.monotonic_ns
        if body is None or not self._is(body, "snapshot"):
            resync.failed(now())
            return
        await self._give(symbol, "snapshot", body, "rest")
        resync.answered(now())

    async def _ask(self, kind: str) -> None:
        """Ask for what no stream carries, symbol by symbol; what fails comes with the next turn."""
        try:
            for symbol in self.plan.symbols:
                body = await self.rest.get(self.plan.face.asked[kind], (("symbol", symbol),))
                if body is not None and self._is(body, kind):
                    await self._give(symbol, kind, body, "rest")
        finally:
            self._asked.discard(kind)

    def _is(self, body: bytes, stream: str) -> bool:
        """Say whether an answer is what was asked for: a refused one is not computed from."""
        try:
            records = self.plan.mapper.parse(body, self._world.clock.wall_ns())
        except Quarantine as bad:
            self.refused_answers += 1
            self.rest.last_problem = f"an answer ({stream.replace('_', ' ')}) was refused: {bad}"
            return False
        return [record.stream for record in records] == [stream]

    def _check_trades(self, symbol: str, now: int) -> None:
        holes = self.holes[symbol]
        if holes.is_late(now) and symbol not in self._ending:
            self._ending.add(symbol)
            self._start(self._declare(symbol))
        elif holes.missing(now) is not None and symbol not in self._asking:
            self._asking.add(symbol)
            self._start(self._fetch_trades(symbol))

    async def _declare(self, symbol: str) -> None:
        """Give up on a hole: what was held behind it goes on."""
        holes = self.holes[symbol]
        async with self._order[symbol]:
            now = self._world.clock.monotonic_ns()
            if holes.is_late(now):
                for payload in holes.give_up(now):
                    await self._give(symbol, self.plan.trades, payload)
        self._ending.discard(symbol)

    async def _fetch_trades(self, symbol: str) -> None:
        """Ask for missing trades, oldest first, until the hole is closed or nothing comes."""
        face, holes = self.plan.face, self.holes[symbol]
        request = face.agg_trades if self.plan.trades == "agg_trade" else face.trades
        clock = self._world.clock
        try:
            while (missing := holes.missing(clock.monotonic_ns())) is not None:
                first, last = missing
                count = min(request.limit, last - first + 1) if request.by_id else request.limit
                params = [("symbol", symbol), ("limit", str(count))]
                if request.by_id:
                    params.append(("fromId", str(first)))
                body = await self.rest.get(request, params)
                before = holes.filled
                async with self._order[symbol]:
                    for trade_id, payload in face.split_trades(body or b""):
                        for each in holes.fill(trade_id, payload, clock.monotonic_ns()):
                            origin = "rest" if each is payload else "ws"
                            await self._give(symbol, self.plan.trades, each, origin)
                if holes.filled == before:
                    await clock.sleep(0.5)
        finally:
            self._asking.discard(symbol)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _link_plans(plan: VenuePlan) -> Sequence[LinkPlan]:
    """Return the streams cut into connections, the streams of a symbol together."""
    face, made = plan.face, []
    kinds = [kind for kind in plan.kinds if kind not in face.asked]
    per_link = max(1, face.streams_per_connection // max(1, len(kinds)))
    quiet: Mapping[str, float] = face.quiet_s
    for start in range(0, len(plan.symbols), per_link):
        streams: dict[str, str] = {}
        for symbol in plan.symbols[start : start + per_link]:
            names = face.stream_names((symbol,), kinds, plan.speed)
            streams.update(zip(names, kinds, strict=True))
        made.append(LinkPlan(face, plan.ws_url.rstrip("/"), streams, quiet))
    return made
