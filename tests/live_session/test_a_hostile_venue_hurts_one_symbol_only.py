"""A venue that means harm to one connection: bounded memory, it is replaced, the others flow on."""

from __future__ import annotations

import asyncio
import random
import resource
from collections import Counter
from dataclasses import replace

from live_session.scripted import Book
from qf.exchange.exchange import Exchange
from qf.exchange.hostile import HARMS
from qf.exchange.server import ExchangeServer
from qf.exchange.settings import ExchangeSettings
from qf.feeds.venue import find_venue
from qf.live.real import RealClock, RealNetwork
from qf.live.venue_plan import live_face, plan_of
from qf.live.venue_session import VenueSession
from qf.seams import World
from qf.simulator.disk import Platter
from qf.simulator.process import Process

SYMBOLS = ("BTCUSDT", "ETHUSDT")
PATIENCE_S = 60.0
MOST_MEGABYTES = 400  # for all of them at once; a bomb alone is 64, a flood without end more


class CountingHeart:
    """Count frames by symbol."""

    def __init__(self):
        self.counts = Counter()

    def offer(self, frame):
        for symbol in SYMBOLS:
            self.counts[symbol] += symbol.lower().encode() in frame.payload[:40]
        return True

    async def room(self):
        return None

    def conflate(self, symbol, stream="depth"):
        return None

    def book_state(self, symbol):
        return Book()


async def until(wanted):
    async with asyncio.timeout(PATIENCE_S):
        while not wanted():
            await asyncio.sleep(0.05)


async def hurt_one(name):
    settings = ExchangeSettings(symbols=SYMBOLS, intensity=20.0, levels=20)
    exchange = Exchange(settings, seed=3)
    server, network, heart = ExchangeServer(exchange, speed=10.0), RealNetwork(), CountingHeart()
    await server.start()
    disk = Platter(random.Random(1)).mount(Process(name))
    world = World(RealClock(), random.Random(1), disk, network)
    face = replace(live_face(find_venue("binance_spot")), streams_per_connection=2)
    options = {"ws_url": server.ws_url, "rest_url": server.url}
    plan = plan_of("binance_spot", SYMBOLS, ("trade", "bbo"), options)
    venue = VenueSession(world, replace(plan, face=face), heart)
    running = asyncio.ensure_future(venue.run())

    async def look():
        while True:
            venue.check()
            await asyncio.sleep(0.1)

    looking = asyncio.ensure_future(look())
    try:
        await until(lambda: min(heart.counts[symbol] for symbol in SYMBOLS) > 60)
        (victim,) = (c.number for c in exchange.connections if "ethusdt@trade" in c.audiences)
        assert server.hurt(victim, name)
        other = heart.counts["BTCUSDT"]
        await until(lambda: any(c.number > victim and c.sent > 20 for c in exchange.connections))
        hurt = heart.counts["ETHUSDT"]
        await until(lambda: heart.counts["ETHUSDT"] > hurt + 20)
        await until(lambda: heart.counts["BTCUSDT"] > other + 100)
        assert not running.done()
        connects = [link.connects for link in venue.links]
        assert connects[1] >= 2, (name, connects)  # and the other's never had to break
        assert venue.links[0].breaks == 0, name
    finally:
        for task in (looking, running):
            task.cancel()
        await asyncio.gather(looking, running, return_exceptions=True)
        await network.close()
        await server.stop()


def test_each_harm_costs_one_connection_and_no_more():
    async def all_at_once():
        await asyncio.gather(*map(hurt_one, sorted(HARMS)))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asyncio.run(all_at_once())
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_MEGABYTES * 1024
