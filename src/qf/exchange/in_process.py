"""The exchange in the same process: `qf.seams.Network` over any asyncio loop, a virtual one too.

The exchange's time is its start plus the clock's monotonic time since the network was made, so
steps of the wall clock do not reach it. One timer stands at the next thing that happens; it runs
in an empty context, so that it belongs to nobody's task.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from urllib.parse import parse_qsl, urlsplit

from qf.exchange.answer import Refused
from qf.exchange.connection import CLOSE, LOST, TEXT, Connection
from qf.exchange.venue import Venue
from qf.seams import Clock, Closed, Response

SECOND_NS = 1_000_000_000
TOO_BIG = 1009
SOON_S = 1e-6


class ExchangeNetwork:
    """The way to one exchange for one client.

    Several may share an exchange; each is one life of a client, and `cut` ends it.
    """

    def __init__(self, exchange: Venue, clock: Clock, client: str = "") -> None:
        self.exchange, self._clock, self._client = exchange, clock, client
        self._offset_ns = exchange.now_ns - clock.monotonic_ns()
        self._sockets: list[ExchangeSocket] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._context = Context()  # nobody's: a timer outlives the task that set it

    def now_ns(self) -> int:
        """Return the exchange's time now."""
        return self._offset_ns + self._clock.monotonic_ns()

    async def connect(self, url: str, max_message_bytes: int) -> ExchangeSocket:
        """Open a websocket; longer messages close it with code 1009. Errors: Closed."""
        await self._travel()
        parts = urlsplit(url)
        streams = dict(parse_qsl(parts.query)).get("streams", "")
        try:
            self.exchange.advance(self.now_ns())
            connection = self.exchange.connect(parts.path, streams, self._client)
        except Refused as refused:
            await self._travel()
            raise Closed("refused", refused.status) from None
        socket = ExchangeSocket(self, connection, max_message_bytes)
        self._sockets.append(socket)
        self.wake()
        await self._travel()
        return socket

    async def get(
        self, url: str, params: Sequence[tuple[str, str]], timeout_s: float, max_bytes: int
    ) -> Response:
        """Return the answer to a GET request. Errors: Closed (refused, late, longer)."""
        parts = urlsplit(url)
        given = dict([*parse_qsl(parts.query), *params])
        await self._travel()
        self.exchange.advance(self.now_ns())
        answer = self.exchange.get(parts.path, given, self._client)
        if answer.delay_ns > timeout_s * SECOND_NS:
            await self._clock.sleep(timeout_s)
            raise Closed("no answer in time")
        if answer.delay_ns:
            await self._clock.sleep(answer.delay_ns / SECOND_NS)
        await self._travel()
        if answer.broken:
            raise Closed("the connection was lost before the answer was whole")
        if len(answer.body) > max_bytes:
            raise Closed(f"the answer is longer than {max_bytes} bytes")
        return Response(answer.status, answer.headers, answer.body)

    def cut(self) -> None:
        """End every socket at once, as the death of the client does; the venue learns of it."""
        for socket in list(self._sockets):
            socket.abandon()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def forget(self, socket: ExchangeSocket) -> None:
        """Take a socket out that is over."""
        if socket in self._sockets:
            self._sockets.remove(socket)

    def wake(self) -> None:
        """Set the timer to the next thing that happens, unless it stands earlier already."""
        if not self._sockets:
            return
        next_ns = self.exchange.next_ns
        for socket in self._sockets:
            outbox = socket.connection.outbox
            if outbox and outbox[0].due_ns < next_ns:
                next_ns = outbox[0].due_ns
        if self._timer is not None:
            if self._timer_ns <= next_ns:
                return
            self._timer.cancel()
        self._timer_ns = next_ns
        wait = max(SOON_S, (next_ns - self.now_ns()) / SECOND_NS)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(wait, self._ring, context=self._context)

    def _ring(self) -> None:
        self._timer = None
        now = self.now_ns()
        self.exchange.advance(now)
        for socket in tuple(self._sockets):
            socket.take(now)
        self.wake()

    async def _travel(self) -> None:
        await self._clock.sleep(self.exchange.latency_s)


class ExchangeSocket:
    """The client's end of a websocket in process; `pings` counts what was answered below."""

    def __init__(self, network: ExchangeNetwork, connection: Connection, limit: int) -> None:
        self.connection = connection
        self.pings = 0
        self._network, self._limit = network, limit
        self._messages: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed: Closed | None = None

    async def receive(self) -> bytes:
        """Return the next message's payload. Errors: Closed."""
        while not self._messages:
            if self._closed is not None:
                raise Closed(self._closed.why, self._closed.code)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._messages.popleft()

    async def send(self, text: bytes) -> None:
        """Send one text message. Errors: Closed."""
        if self._closed is not None:
            raise Closed(self._closed.why, self._closed.code)
        exchange = self._network.exchange
        exchange.advance(self._network.now_ns())
        exchange.receive(self.connection, text)
        self._network.wake()

    async def close(self) -> None:
        """Close it; closing twice is no error."""
        self.abandon()

    def abandon(self) -> None:
        """End it from the client's side."""
        self._end(Closed("closed by the client", 1000))
        self._network.exchange.drop(self.connection)

    def take(self, now_ns: int) -> None:
        """Take what has arrived by now."""
        outbox = self.connection.outbox
        while outbox and outbox[0].due_ns <= now_ns:
            message = outbox.popleft()
            if message.kind == TEXT and len(message.payload) <= self._limit:
                self._messages.append(message.payload)
            elif message.kind == TEXT:
                self._network.exchange.drop(self.connection)
                self._end(Closed("a message was too long", TOO_BIG))
            elif message.kind == CLOSE:
                self._end(Closed(message.payload.decode() or "closed by the venue", message.code))
            elif message.kind == LOST:
                self._end(Closed("the connection was lost", 1006))
            else:
                self.pings += 1
                self.connection.answered(now_ns)
        if (
            self._waiter is not None
            and (self._messages or self._closed)
            and not self._waiter.done()
        ):
            self._waiter.set_result(None)

    def _end(self, why: Closed) -> None:
        if self._closed is None:
            self._closed = why
            self._network.forget(self)
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
