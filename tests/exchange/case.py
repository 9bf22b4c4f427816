"""An exchange in process, and a client that reads everything it is sent, under virtual time."""

import asyncio

from qf.exchange.exchange import Exchange
from qf.exchange.in_process import ExchangeNetwork
from qf.exchange.plan import FaultPlan, Planned
from qf.exchange.settings import ExchangeSettings
from qf.feeds.venue import find_venue
from qf.seams import Closed
from qf.simulator.clock import VirtualClock
from qf.simulator.loop import VirtualLoop

VENUES = ("binance_spot", "binance_usdm", "binance_coinm")


class Session:
    """One exchange on one virtual loop; `frames` are (monotonic ns, payload) as they were read."""

    def __init__(self, venue="binance_spot", seed=3, faults=(), **settings):
        settings = {"intensity": 5.0, "levels": 80} | settings
        self.settings = ExchangeSettings(venue=venue, **settings)
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, self.settings.start_ns)
        self.exchange = Exchange(self.settings, seed, FaultPlan(tuple(faults)))
        self.network = ExchangeNetwork(self.exchange, self.clock)
        self.mapper = find_venue(venue)
        self.prefix = self.exchange.face.prefix
        self.frames, self.ends, self.answers, self.sockets = [], [], [], []

    def streams(self):
        return self.mapper.channels(self.settings.symbols)

    async def listen(self, streams=None, again=True):
        """Read for ever, connecting again after each end."""
        url = "ws://venue/stream?streams=" + "/".join(streams or self.streams())
        while True:
            try:
                socket = await self.network.connect(url, 1 << 23)
                self.sockets.append(socket)
                while True:
                    frame = await socket.receive()
                    self.frames.append((self.clock.monotonic_ns(), frame))
            except Closed as closed:
                self.ends.append((self.clock.monotonic_ns(), closed))
                if not again:
                    return
            await self.clock.sleep(0.5)

    async def get(self, endpoint, **params):
        """Ask for an endpoint and remember the answer."""
        given = [(name, str(value)) for name, value in params.items()]
        url = f"http://venue{self.prefix}/{endpoint}"
        answer = await self.network.get(url, given, 5.0, 1 << 24)
        self.answers.append((self.clock.monotonic_ns(), answer))
        return answer

    def run(self, seconds, *coroutines):
        """Run the tasks side by side for so many virtual seconds."""

        async def whole():
            tasks = [asyncio.ensure_future(each) for each in coroutines]
            await asyncio.sleep(seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.loop.run_until_complete(whole())
        assert self.loop.complaints == []
        return self


def planned(kind, at_s=5.0, symbol="BTCUSDT", channel="", **more):
    return Planned(kind, at_s, symbol, channel, **more)
