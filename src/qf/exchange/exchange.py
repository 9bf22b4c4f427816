"""The simulated exchange: pure, driven by whoever tells it the time.

1. `advance(to_ns)` lets everything happen that is due: trades, quotes, depth intervals, pings,
   the ends of connections, faults; in the order of time, the order of making at equal times
2. what happens is written once per stream, and only if somebody listens
3. each message waits in its connection's `outbox` until it is due at the client

The same settings, seed, plan and calls give the same bytes.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Mapping

from qf.exchange.answer import Answer, Refused
from qf.exchange.audience import Audience
from qf.exchange.connection import (
    CLOSE,
    GOING_AWAY,
    LOST,
    PING,
    POLICY,
    TRY_AGAIN,
    Connection,
    Desk,
)
from qf.exchange.faults import Faults
from qf.exchange.limits import Meter, Offence, Verdict
from qf.exchange.listing import Listing
from qf.exchange.plan import FaultPlan, Note
from qf.exchange.rest import Query, Refusal, Rest
from qf.exchange.settings import ExchangeSettings
from qf.exchange.streams import read_stream
from qf.exchange.trade_tape import TradeTape
from qf.testing.market import Book

SECOND_NS = 1_000_000_000
MOST_CONNECTS, CONNECTS_WITHIN_NS = 300, 300 * SECOND_NS
NEVER = 2**62


class Exchange:
    """One venue with its symbols. See the module for how it runs."""

    def __init__(
        self, settings: ExchangeSettings | None = None, seed: int = 0, plan: FaultPlan | None = None
    ) -> None:
        self.settings = settings or ExchangeSettings()
        self.seed = seed
        self.face = self.settings.face
        self.now_ns = self.settings.start_ns
        self.listings = {
            symbol: Listing(self.settings.market(symbol, seed)) for symbol in self.settings.symbols
        }
        self.connections: list[Connection] = []
        self.offences: list[Offence] = []
        self.faults = Faults(self, plan or FaultPlan())
        self._rest = Rest(self.face, self.listings)
        self._desk = Desk(self.face, self._join, self.leave)
        self._meters: dict[str, Meter] = {}
        self._connects: list[int] = []
        self._audiences: dict[str, Audience] = {}
        self.opened = 0
        self._chance = random.Random(seed * 2 + 1)
        self._due: list[tuple[int, int, Callable[[], int]]] = []
        self._made = 0
        for listing in self.listings.values():
            instants = listing.instants()
            self.at(next(instants), instants.__next__)
        for planned in self.faults.plan.faults:
            when = self.settings.start_ns + round(planned.at_s * SECOND_NS)
            self.at(when, lambda planned=planned: self.faults.begin(planned))

    # --- the truth ------------------------------------------------------------------------------

    @property
    def notes(self) -> list[Note]:
        """Return the faults that happened so far, in order, each with its place."""
        return self.faults.notes

    def true_book(self, symbol: str, update_id: int | None = None) -> Book:
        """Return the whole true book, lots by ticks, after a venue's update id, or now."""
        return self.listings[symbol].true_book(update_id)

    def trades(self, symbol: str) -> TradeTape:
        """Return every trade of a symbol."""
        return self.listings[symbol].tape

    # --- time -----------------------------------------------------------------------------------

    def at(self, ns: int, action: Callable[[], int]) -> None:
        """Run an action at a time; it returns when it wants to run again, NEVER for no more."""
        self._made += 1
        heapq.heappush(self._due, (ns, self._made, action))

    @property
    def latency_s(self) -> float:
        """Return how long a request is under way, one way."""
        return self.settings.latency_ms / 1_000

    @property
    def next_ns(self) -> int:
        """Return when the next thing happens."""
        return self._due[0][0]

    def advance(self, to_ns: int) -> None:
        """Let everything happen that is due by then; time never runs back."""
        due = self._due
        while due[0][0] <= to_ns:
            now, made, action = due[0]
            self.now_ns = max(self.now_ns, now)
            again = action()
            if due[0][1] == made:
                if again < NEVER:
                    heapq.heapreplace(due, (again, made, action))
                else:
                    heapq.heappop(due)
            else:  # the action made something that is due at the same instant or before
                self._replace(made, again, action)
        self.now_ns = max(self.now_ns, to_ns)

    def _replace(self, made: int, again: int, action: Callable[[], int]) -> None:
        self._due[:] = [entry for entry in self._due if entry[1] != made]
        if again < NEVER:
            self._due.append((again, made, action))
        heapq.heapify(self._due)

    # --- websockets -----------------------------------------------------------------------------

    def connect(self, path: str, streams: str = "", client: str = "") -> Connection:
        """Open a websocket at `/ws/…` or `/stream`; `streams` is the query of the latter.

        Streams that do not exist are passed over, as the venue does. Errors: Refused.
        """
        parts = [part for part in path.split("/") if part]
        raw = "ws" in parts
        if not raw and parts[-1:] != ["stream"]:
            raise Refused(404)
        self._count_connect(client)
        self.faults.check_connect()
        self.opened += 1
        connection = Connection(self.opened, self.face, not raw, self.now_ns, self._travel)
        connection.hear = self.faults.hears(connection)
        self.connections.append(connection)
        names = parts[parts.index("ws") + 1 :] if raw else streams.split("/")
        for name in names:
            self._join(connection, name)
        self._live(connection)
        return connection

    def receive(self, connection: Connection, text: bytes) -> None:
        """Take a message of a client and answer it."""
        if not connection.is_open:
            return
        if connection.is_flood(self.now_ns):
            self.offences.append(Offence(self.now_ns, "", "too many messages in a second"))
            self.end(connection, CLOSE, POLICY, b"Too many requests")
            return
        connection.post(self.now_ns, self._desk.answer(connection, text))

    def leave(self, connection: Connection, name: str) -> None:
        """Take a connection out of a stream."""
        audience = connection.audiences.pop(name, None)
        if audience is None:
            return
        audience.listeners.remove(connection)
        if not audience.listeners:
            del self._audiences[name]
            self.listings[audience.stream.symbol].detach(audience)

    def end(
        self, connection: Connection, kind: int = LOST, code: int = 0, why: bytes = b""
    ) -> None:
        """End a connection behind what was sent: CLOSE with a code, or LOST without a word."""
        connection.post(self.now_ns, why, kind, code)
        self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Forget a connection whose client is gone."""
        connection.is_open = False
        for name in list(connection.audiences):
            self.leave(connection, name)
        if connection in self.connections:
            self.connections.remove(connection)

    def _join(self, connection: Connection, name: str) -> bool:
        stream = read_stream(name, self.face)
        if stream is None or stream.symbol not in self.listings or name in connection.audiences:
            return False
        audience = self._audiences.get(name)
        if audience is None:
            audience = self._audiences[name] = Audience(stream)
            self.listings[stream.symbol].attach(audience)
        audience.listeners.append(connection)
        connection.audiences[name] = audience
        return True

    def _live(self, connection: Connection) -> None:
        """Give a connection its pings and its end."""
        settings = self.settings
        end = self.now_ns + round(settings.life_s * SECOND_NS)
        grace = end - round(min(settings.grace_s, settings.life_s / 2) * SECOND_NS)
        self.at(self.now_ns + self.face.ping_s * SECOND_NS, lambda: self._ping(connection))
        self.at(grace, lambda: self.announce_end(connection))
        self.at(end, lambda: self._expire(connection))

    def _ping(self, connection: Connection) -> int:
        if not connection.is_open:
            return NEVER
        if connection.is_late(self.now_ns):
            self.end(connection, CLOSE, POLICY, b"pong timeout")
            return NEVER
        if not self.faults.is_silent(connection):
            connection.post(self.now_ns, b"%d" % (self.now_ns // 1_000_000), PING)
        if len(connection.outbox) > self.settings.slow_reader:
            self.end(connection, CLOSE, TRY_AGAIN, b"slow reader")
        return self.now_ns + self.face.ping_s * SECOND_NS

    def announce_end(self, connection: Connection) -> int:
        """Say that the connection will end soon."""
        payload = b'{"e":"serverShutdown","E":%d}' % (self.now_ns // 1_000_000)
        connection.post(self.now_ns, payload)
        return NEVER

    def _expire(self, connection: Connection) -> int:
        if connection.is_open:
            self.end(connection, CLOSE, GOING_AWAY, b"the connection lived its time")
        return NEVER

    def _count_connect(self, client: str) -> None:
        since = self.now_ns - CONNECTS_WITHIN_NS
        self._connects = [at for at in self._connects if at > since]
        self._connects.append(self.now_ns)
        if len(self._connects) > MOST_CONNECTS:
            self.offences.append(Offence(self.now_ns, client, "too many connection attempts"))
            raise Refused(429)

    def _travel(self) -> int:
        """Return how long a message is under way, in ns."""
        settings = self.settings
        if not settings.latency_ms and not settings.jitter_ms:
            return 0
        wait = settings.latency_ms - settings.jitter_ms * math.log(1.0 - self._chance.random())
        return int(wait * 1_000_000)

    # --- requests -------------------------------------------------------------------------------

    def get(
        self, path: str, params: Mapping[str, str], client: str = "", has_key: bool = False
    ) -> Answer:
        """Answer a GET request now."""
        try:
            query = self._rest.read(path, params)
        except Refusal as refusal:
            return Answer(refusal.status, self._headers(0, self.meter(client).used), refusal.body)
        verdict = self.meter(client).take(self.now_ns, query.weight)
        headers = self._headers(verdict.retry_after_s, verdict.used)
        if verdict.status != 200:
            return Answer(verdict.status, headers, _banned(verdict, self.weight_limit))
        fault = self.faults.answer(query, headers, client)
        if fault is not None:
            return fault
        try:
            return Answer(200, headers, self._rest.answer(query, self.now_ns, has_key))
        except Refusal as refusal:
            return Answer(refusal.status, headers, refusal.body)

    def body(self, query: Query) -> bytes:
        """Return the true body of a request, whatever its weight. Errors: Refusal."""
        return self._rest.answer(query, self.now_ns, True)

    @property
    def weight_limit(self) -> int:
        """Return the weight that a client may use per minute."""
        return self.settings.weight_limit or self.face.weight_limit

    def meter(self, client: str) -> Meter:
        """Return a client's account."""
        if client not in self._meters:
            self._meters[client] = Meter(self.weight_limit, client, self.offences)
        return self._meters[client]

    def _headers(self, retry_after_s: int, used: int) -> dict[str, str]:
        headers = {"content-type": "application/json", "x-mbx-used-weight-1m": str(used)}
        if retry_after_s:
            headers["retry-after"] = str(retry_after_s)
        return headers


def _banned(verdict: Verdict, limit: int) -> bytes:
    if verdict.status == 418:
        text = "Way too much request weight used; IP banned."
    else:
        text = (
            f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE."
        )
    return (
        b'{"code":-1003,"msg":"%b Please use WebSocket Streams for live updates."}' % text.encode()
    )
