"""What goes wrong on the exchange: the plan's entries begin, wait for what they befall, and end.

Frame faults wait for the next messages that match; the first connection that sends one is theirs.
Requests' faults wait for the next requests. The truth is never touched: trades, ids and the book
go on behind a fault, and every fault that took effect is noted with its place.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from qf.exchange import spoiled
from qf.exchange.answer import Answer, Refused
from qf.exchange.audience import Audience
from qf.exchange.connection import CLOSE, LOST, TRY_AGAIN, Connection
from qf.exchange.fault_kinds import KINDS
from qf.exchange.plan import FaultPlan, Note, Planned
from qf.exchange.rest import Query, Refusal
from qf.testing.market.ladder import ASK, BID

if TYPE_CHECKING:
    from qf.exchange.exchange import Exchange

SECOND_NS = 1_000_000_000
NEVER = 2**62
Ids = tuple[int, int]


class Armed:
    """A fault that waits for what it befalls."""

    def __init__(self, planned: Planned, place: int, now_ns: int) -> None:
        self.planned, self.place, self.began_ns = planned, place, now_ns
        self.left = planned.count
        self.connection = 0  # the one it befell first
        self.chance = random.Random(planned.draw)
        self.held: tuple[bytes, Audience, Ids] | None = None

    def matches(self, connection: Connection, audience: Audience) -> bool:
        """Say whether this message is one that it waits for."""
        planned, stream = self.planned, audience.stream
        return (
            planned.channel == stream.channel
            and planned.symbol in ("", stream.symbol)
            and self.connection in (0, connection.number)
        )


class Faults:
    """Run a plan on an exchange, and note what happened."""

    def __init__(self, exchange: Exchange, plan: FaultPlan) -> None:
        self.plan = plan
        self.notes: list[Note] = []
        self._exchange = exchange
        self._places = {id(planned): place for place, planned in enumerate(plan.faults)}
        self._frames: list[Armed] = []
        self._requests: list[Armed] = []
        self._losses: list[tuple[Armed, str, int]] = []  # (fault, channel, until)
        self._stalls: dict[int, int] = {}  # connection -> until
        self._closed_until = 0  # no connection opens before then
        self._begin: dict[str, Callable[[Armed], None]] = {
            "frame": self._frames.append,
            "rest": self._requests.append,
            "connection": self._befall_connection,
            "venue": self._befall_venue,
        }

    def begin(self, planned: Planned) -> int:
        """Let an entry of the plan begin."""
        armed = Armed(planned, self._places[id(planned)], self._exchange.now_ns)
        self._begin[KINDS[planned.kind].where](armed)
        self._rewire()
        return NEVER

    # --- messages -------------------------------------------------------------------------------

    def hears(self, connection: Connection) -> Callable[..., None]:
        """Return what takes a connection's messages: the fault machine only while it is needed."""
        if self._frames or self._losses or self._stalls:
            return lambda at_ns, frame, audience, ids: self._hear(
                connection, (at_ns, frame, audience, ids)
            )
        return connection.deliver

    def is_silent(self, connection: Connection) -> bool:
        """Say whether nothing at all gets through to a connection, pings neither."""
        return self._stalls.get(connection.number) == NEVER

    def _rewire(self) -> None:
        for connection in self._exchange.connections:
            connection.hear = self.hears(connection)

    def _hear(self, connection: Connection, message: tuple[int, bytes, Audience, Ids]) -> None:
        at_ns, frame, audience, ids = message
        if at_ns < self._stalls.get(connection.number, 0):
            return
        for armed, channel, until in self._losses:
            ours = (audience.stream.channel, audience.stream.symbol)
            if ours == (channel, armed.planned.symbol) and at_ns < until:
                self._note(armed, audience, connection, ids)
                return
        for armed in self._frames:
            if armed.matches(connection, audience):
                self._befall_frame(armed, connection, message)
                return
        connection.post(at_ns, frame)

    def _befall_frame(
        self, armed: Armed, connection: Connection, message: tuple[int, bytes, Audience, Ids]
    ) -> None:
        at_ns, frame, audience, ids = message
        kind = armed.planned.kind
        armed.connection = connection.number
        if kind == "reorder" and armed.held is None:
            armed.held = (frame, audience, ids)
            return
        self._note(armed, audience, connection, ids)
        if kind == "duplicate":
            connection.post(at_ns, frame)
            connection.post(at_ns, frame)
        elif kind == "reorder" and armed.held is not None:
            connection.post(at_ns, frame)
            connection.post(at_ns, armed.held[0])
        elif kind == "crossed":
            connection.post(at_ns, spoiled.crossed(frame, self._above(audience.stream.symbol)))
        elif kind != "drop":
            connection.post(at_ns, spoiled.SPOILED[kind](frame, armed.chance))
        armed.left -= 1
        if not armed.left:
            self._frames.remove(armed)
            self._rewire()

    def _above(self, symbol: str) -> bytes:
        """Return a bid as text, ten steps above the best ask."""
        listing = self._exchange.listings[symbol]
        price = listing.levels(1)[1][0][0] + 10
        return listing.frames.levels([(price, 1_000)]).encode()

    # --- connections ----------------------------------------------------------------------------

    def check_connect(self) -> None:
        """Refuse a connection during an outage. Errors: Refused."""
        if self._exchange.now_ns < self._closed_until:
            raise Refused(0)

    def _befall_connection(self, armed: Armed) -> None:
        exchange, planned = self._exchange, armed.planned
        if not exchange.connections:
            return
        connection = armed.chance.choice(exchange.connections)
        armed.connection = connection.number
        until = exchange.now_ns + round(planned.seconds * SECOND_NS)
        kind = planned.kind
        self._note_span(armed, until)
        if kind == "delay":
            connection.held_until = until
        elif kind == "stall":
            self._silence(connection, until)
        elif kind == "black_hole":
            self._silence(connection, NEVER)
        elif kind == "disconnect":
            exchange.end(connection, LOST)
        elif kind == "close":
            exchange.end(connection, CLOSE, TRY_AGAIN, b"try again")
        elif kind == "shutdown":
            exchange.announce_end(connection)
            exchange.at(until, lambda: self._end(connection))

    def _silence(self, connection: Connection, until: int) -> None:
        self._stalls[connection.number] = until
        if until != NEVER:
            self._exchange.at(until, lambda: self._speak(connection))

    def _speak(self, connection: Connection) -> int:
        if self._stalls.get(connection.number) != NEVER:
            self._stalls.pop(connection.number, None)
            self._rewire()
        return NEVER

    def _end(self, connection: Connection) -> int:
        if connection.is_open:
            self._exchange.end(connection, CLOSE, 1001, b"server shutdown")
        return NEVER

    # --- the venue ------------------------------------------------------------------------------

    def _befall_venue(self, armed: Armed) -> None:
        exchange, planned = self._exchange, armed.planned
        until = exchange.now_ns + round(planned.seconds * SECOND_NS)
        kind, listing = planned.kind, exchange.listings.get(planned.symbol)
        self._note_span(armed, until)
        if kind in ("gap", "trade_gap"):
            self._losses.append((armed, "depth" if kind == "gap" else "trade", until))
            exchange.at(until, lambda: self._heal(armed))
        elif kind == "id_reset" and listing is not None:
            listing.reset_ids()
        elif kind == "halt" and listing is not None:
            listing.halted_until = until
        elif kind == "one_sided" and listing is not None:
            listing.withdraw(armed.chance.choice((BID, ASK)), until)
        elif kind == "burst" and listing is not None:
            listing.latent.burst(planned.seconds)
        elif kind == "clock_jump":
            self._turn_clock(armed.chance.choice((-1, 1)) * armed.chance.randint(100, 90_000))
            exchange.at(until, lambda: self._turn_clock(0))
        elif kind == "outage":
            self._closed_until = until
            for connection in list(exchange.connections):
                exchange.end(connection, LOST)

    def _heal(self, armed: Armed) -> int:
        self._losses = [loss for loss in self._losses if loss[0] is not armed]
        self._rewire()
        return NEVER

    def _turn_clock(self, ms: int) -> int:
        for listing in self._exchange.listings.values():
            listing.clock_ms = ms
        return NEVER

    # --- requests -------------------------------------------------------------------------------

    def answer(self, query: Query, headers: Mapping[str, str], client: str) -> Answer | None:
        """Return what a request is answered with when something is wrong, else None."""
        for armed in self._requests:
            kind = armed.planned.kind
            if "snapshot" in kind and query.endpoint != "depth":
                continue
            armed.left -= 1
            if armed.left <= 0:
                self._requests.remove(armed)
            self._note_span(armed, self._exchange.now_ns, query.params.get("symbol", ""))
            return self._spoil(armed, query, dict(headers), client)
        return None

    def _spoil(self, armed: Armed, query: Query, headers: dict[str, str], client: str) -> Answer:
        exchange, kind, seconds = self._exchange, armed.planned.kind, armed.planned.seconds
        if kind in ("too_many", "banned"):
            status = 429 if kind == "too_many" else 418
            until_ns = exchange.now_ns + round(seconds * SECOND_NS)
            exchange.meter(client).refuse(status, exchange.now_ns, until_ns)
            headers["retry-after"] = str(max(1, -int(-seconds // 1)))
            return Answer(status, headers, b'{"code":-1003,"msg":"Too many requests."}')
        if kind == "server_error":
            return Answer(503, headers, b"<html><body>Service Unavailable</body></html>")
        try:
            body = exchange.body(query)
            if kind == "stale_snapshot":
                body = self._old_depth(query, round(seconds * SECOND_NS))
        except Refusal as refusal:
            return Answer(refusal.status, headers, refusal.body)
        if kind == "cut_snapshot":
            return Answer(200, headers, body[: int(len(body) * armed.chance.random())])
        if kind == "lost_answer":
            return Answer(200, headers, body[: len(body) // 2], broken=True)
        delay = round(seconds * SECOND_NS) if kind == "slow_answer" else 0
        return Answer(200, headers, body, delay)

    def _old_depth(self, query: Query, age_ns: int) -> bytes:
        """Return the snapshot of a while ago, true at its own update id."""
        exchange = self._exchange
        listing = exchange.listings[query.params["symbol"]]
        if not exchange.settings.keep_truth:
            return exchange.body(query)
        at_ns = exchange.now_ns - age_ns
        update_id = listing.id_before(at_ns)
        book = listing.true_book(update_id)
        limit = int(query.params.get("limit", exchange.face.depth_default))
        bids = sorted(book.bids.items(), reverse=True)[:limit]
        asks = sorted(book.asks.items())[:limit]
        return listing.frames.snapshot(update_id, bids, asks, at_ns // 1_000_000).encode()

    # --- notes ----------------------------------------------------------------------------------

    def _note(self, armed: Armed, audience: Audience, connection: Connection, ids: Ids) -> None:
        now = self._exchange.now_ns
        stream = audience.stream
        planned = armed.planned
        self.notes.append(
            Note(
                planned.kind, armed.place, now, now, stream.symbol, stream.name, connection.number,
                *ids,
            )
        )  # fmt: skip

    def _note_span(self, armed: Armed, until: int, symbol: str = "") -> None:
        planned = armed.planned
        named = symbol or planned.symbol
        now, number = self._exchange.now_ns, armed.connection
        self.notes.append(Note(planned.kind, armed.place, now, until, named, "", number, 0, 0))
