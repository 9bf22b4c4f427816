"""A network that does what a test says, an engine that keeps what it is given, virtual time."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field

from qf.feeds.venue import find_venue
from qf.live.venue_plan import VenuePlan, live_face
from qf.live.venue_session import VenueSession
from qf.seams import Closed, Response, World
from qf.simulator.clock import VirtualClock
from qf.simulator.disk import Platter
from qf.simulator.loop import VirtualLoop
from qf.simulator.process import Process

START_NS = 1_760_000_000_000_000_000


def trade(number, symbol="BTCUSDT", ms=0):
    at = START_NS // 1_000_000 + ms
    return (
        f'{{"stream":"{symbol.lower()}@trade","data":{{"e":"trade","E":{at},"s":"{symbol}",'
        f'"t":{number},"p":"100.00","q":"1.0","T":{at},"m":false}}}}'
    ).encode()


def depth(first, last, symbol="BTCUSDT", ms=0):
    at = START_NS // 1_000_000 + ms
    return (
        f'{{"stream":"{symbol.lower()}@depth@100ms","data":{{"e":"depthUpdate","E":{at},'
        f'"s":"{symbol}","U":{first},"u":{last},"b":[],"a":[]}}}}'
    ).encode()


def listed(number):
    return f'{{"id":{number},"price":"100.00","qty":"1.0","time":1,"isBuyerMaker":true}}'


def snapshot(last):
    return f'{{"lastUpdateId":{last},"bids":[["99.00","1"]],"asks":[["101.00","1"]]}}'.encode()


class ScriptedSocket:
    """One connection: `push` sends, `drop` breaks it."""

    def __init__(self, url):
        self.url = url
        self.waiting = deque()
        self.some = asyncio.Event()
        self.why = None
        self.closed_by_us = False

    def push(self, *payloads):
        self.waiting.extend(payloads)
        self.some.set()

    def drop(self, why="reset"):
        self.why = why
        self.some.set()

    async def receive(self):
        while not self.waiting:
            if self.why is not None:
                raise Closed(self.why)
            self.some.clear()
            await self.some.wait()
        return self.waiting.popleft()

    async def send(self, text):
        return None

    async def close(self):
        self.closed_by_us = True
        self.drop("closed by us")


class ScriptedNetwork:
    """Sockets in the order they were opened; REST answers by path from `answer`."""

    def __init__(self, clock):
        self.clock = clock
        self.sockets = []
        self.opened_at = []
        self.refuse = 0
        self.gets = []  # (monotonic ns, path, params)
        self.answer = lambda path, params: Response(404, {}, b"")

    async def connect(self, url, max_message_bytes):
        self.opened_at.append(self.clock.monotonic_ns())
        if self.refuse > 0:
            self.refuse -= 1
            raise Closed("refused")
        socket = ScriptedSocket(url)
        self.sockets.append(socket)
        return socket

    async def get(self, url, params, timeout_s, max_bytes):
        path = url.split("//")[1].partition("/")[2]
        self.gets.append((self.clock.monotonic_ns(), "/" + path, dict(params)))
        await asyncio.sleep(0.02)
        return self.answer("/" + path, dict(params))


@dataclass
class Book:
    reason: str = ""
    next_trade: int = 0


@dataclass
class Heart:
    """Keep every frame that was offered; `full` refuses."""

    frames: list = field(default_factory=list)
    books: dict = field(default_factory=dict)
    full: bool = False
    conflated: int = 0

    def offer(self, frame):
        if self.full:
            return False
        self.frames.append(frame)
        return True

    async def room(self):
        while self.full:
            await asyncio.sleep(0.01)

    def conflate(self, symbol, stream="depth"):
        self.conflated += 1

    def book_state(self, symbol):
        return self.books.setdefault(symbol, Book())

    def payloads(self):
        return [frame.payload for frame in self.frames]


class Stage:
    """A venue session on a scripted network under virtual time."""

    def __init__(self, seed=1, symbols=("BTCUSDT",), kinds=("trade", "depth"), venue=None):
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, START_NS)
        self.network = ScriptedNetwork(self.clock)
        self.platter = Platter(random.Random(seed))
        disk = self.platter.mount(Process("a session"))
        self.world = World(self.clock, random.Random(seed), disk, self.network)
        self.heart = Heart()
        mapper = find_venue(venue or "binance_spot")
        face = live_face(mapper)
        self.plan = VenuePlan(
            name="live",
            mapper=mapper,
            face=face,
            ws_url="ws://venue",
            rest_url="http://venue",
            symbols=symbols,
            kinds=kinds,
            speed="100ms",
            trades="trade",
            book=True,
        )
        self.venue = VenueSession(self.world, self.plan, self.heart)
        self.loop.create_task(self._main())
        self.until(0.01)

    async def _main(self):
        running = self.loop.create_task(self.venue.run())
        while not running.done():
            await asyncio.sleep(0.1)
            self.venue.check()
        running.result()

    @property
    def link(self):
        return self.venue.links[0]

    def until(self, seconds):
        self.loop.run_until(seconds)
        assert self.loop.complaints == []

    def play(self, seconds, step, make):
        """Call `make` every `step` seconds until a virtual instant."""
        while self.loop.time() + step <= seconds:
            self.until(self.loop.time() + step)
            make()
        self.until(seconds)
