"""The exchange over real sockets: websockets and REST on one port of the loopback.

1. the exchange's time runs with the loop's, `speed` times as fast
2. one task lets everything happen that is due, and writes each client's messages in one piece
3. a client that does not read fills its outbox, and is cut off by the exchange
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qf.errors import RunError, diagnostic
from qf.exchange.answer import Answer, Refused
from qf.exchange.connection import CLOSE, LOST, Connection
from qf.exchange.hostile import find_harm
from qf.exchange.venue import Venue
from qf.exchange.wire_frames import wire_frame

if TYPE_CHECKING:
    from aiohttp import web

NO_SERVER = diagnostic(
    "QF856", "serving needs the package aiohttp", RunError, 'pip install "qf[live]"'
)
PORT_TAKEN = diagnostic(
    "QF854",
    "port {port} of {host} cannot be opened: {why}",
    RunError,
    "choose another with --port, or 0 for any that is free",
)

SECOND_NS = 1_000_000_000
SHORTEST_S, LONGEST_S = 0.001, 0.25  # between two looks at what is due
WRITE_AHEAD = 4 << 20  # bytes that may wait in a socket before the outbox keeps the rest
LONGEST_MESSAGE = 65_536  # of a client


class Client:
    """One websocket: its connection, and the transport that is written to."""

    def __init__(self, connection: Connection, transport: asyncio.Transport) -> None:
        self.connection, self.transport = connection, transport
        self.over = False

    def flush(self, now_ns: int) -> None:
        """Write what is due by now, as far as the socket takes it."""
        if self.over:
            self.connection.outbox.clear()
            return
        outbox, pieces, size = self.connection.outbox, [], 0
        room = WRITE_AHEAD - self.transport.get_write_buffer_size()
        while outbox and outbox[0].due_ns <= now_ns and size < room:
            message = outbox.popleft()
            if message.kind == LOST:
                self._write(pieces)
                self.over = True
                self.transport.abort()
                return
            pieces.append(wire_frame(message))
            size += len(pieces[-1])
            if message.kind == CLOSE:
                self._write(pieces)
                self.over = True
                self.transport.close()
                return
        self._write(pieces)

    def _write(self, pieces: list[bytes]) -> None:
        if pieces and not self.transport.is_closing():
            self.transport.write(b"".join(pieces))


class ExchangeServer:
    """Serve an exchange; `url` and `ws_url` say where after `start`.

    With `hold` time stands still until the first websocket opens. `hurt` turns an open websocket
    against its client.
    """

    def __init__(
        self,
        exchange: Venue,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        hold: bool = False,
    ) -> None:
        self.exchange, self.host, self.port, self.speed = exchange, host, port, speed
        self._holds = hold
        self._clients: list[Client] = []
        self._harms: set[asyncio.Task[None]] = set()
        self._hurts: tuple[str, float] | None = None
        self._runner: web.AppRunner | None = None
        self._pump: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._began_s, self._began_ns = 0.0, exchange.now_ns

    @property
    def url(self) -> str:
        """Return the address of the REST side."""
        return f"http://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Return the address that /ws and /stream stand under."""
        return f"ws://{self.host}:{self.port}"

    async def start(self) -> None:
        """Open the port and let time run. Errors: QF854, QF856."""
        if importlib.util.find_spec("aiohttp") is None:
            raise NO_SERVER()
        from aiohttp import web

        app = web.Application()
        app.router.add_get("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        try:
            await site.start()
        except OSError as failure:
            await self._runner.cleanup()
            why = failure.strerror or str(failure)
            raise PORT_TAKEN(port=self.port, host=self.host, why=why) from None
        self.port = self._runner.addresses[0][1]
        self._began_s = asyncio.get_running_loop().time()
        self._pump = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Close everything."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        for client in list(self._clients):
            client.transport.abort()
        for task in list(self._harms):
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    def hurt(self, number: int, name: str) -> bool:
        """Do a harm of `hostile` to the client of a connection, until it leaves. Errors: QF857.

        The answer says whether there is such a client.
        """
        harm = find_harm(name)
        for client in self._clients:
            if client.connection.number == number and not client.over:
                client.over = True
                task = asyncio.ensure_future(harm(client.transport))
                self._harms.add(task)
                task.add_done_callback(self._harms.discard)
                return True
        return False

    def hurt_everybody(self, name: str, after_s: float) -> None:
        """Do a harm to each client so many seconds after it came. Errors: QF857."""
        find_harm(name)
        self._hurts = (name, after_s)

    def now_ns(self) -> int:
        """Return the exchange's time now."""
        if self._holds:
            return self._began_ns
        passed = asyncio.get_running_loop().time() - self._began_s
        return self._began_ns + int(passed * self.speed * SECOND_NS)

    async def _run(self) -> None:
        exchange = self.exchange
        while True:
            now = self.now_ns()
            exchange.advance(now)
            next_ns = exchange.next_ns
            for client in tuple(self._clients):
                client.flush(now)
                outbox = client.connection.outbox
                if outbox:
                    next_ns = min(next_ns, outbox[0].due_ns)
            wait = (next_ns - self.now_ns()) / SECOND_NS / self.speed
            self._wake.clear()
            await self._sleep(min(max(wait, SHORTEST_S), LONGEST_S))

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.exchange.advance(self.now_ns())
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        return await self._answer(request)

    # --- websockets -----------------------------------------------------------------------------

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        try:
            streams = request.query.get("streams", "")
            connection = self.exchange.connect(request.path, streams, request.remote or "")
        except Refused as refused:
            if not refused.status:
                self._abort(request)
            return web.Response(status=refused.status or 503)
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=LONGEST_MESSAGE)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            self.exchange.drop(connection)
            return socket
        client = Client(connection, transport)
        self._clients.append(client)
        if self._holds:
            self._began_s, self._holds = asyncio.get_running_loop().time(), False
        self._wake.set()
        if self._hurts is not None:
            name, after_s = self._hurts
            asyncio.get_running_loop().call_later(after_s, self.hurt, connection.number, name)
        try:
            await self._listen(socket, client)
        finally:
            self._clients.remove(client)
            self.exchange.drop(connection)
        return socket

    async def _listen(self, socket: web.WebSocketResponse, client: Client) -> None:
        from aiohttp import WSCloseCode, WSMsgType

        async for message in socket:
            now = self.now_ns()
            self.exchange.advance(now)
            if message.type == WSMsgType.TEXT:
                self.exchange.receive(client.connection, message.data.encode())
                client.flush(now)
            elif message.type == WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type == WSMsgType.PONG:
                client.connection.answered(now)
            else:
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
            if client.over and not self._harms:
                return

    # --- requests -------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        has_key = "x-mbx-apikey" in request.headers
        query: Mapping[str, str] = request.query
        answer = self.exchange.get(request.path, query, request.remote or "", has_key)
        if answer.delay_ns:
            await asyncio.sleep(answer.delay_ns / SECOND_NS / self.speed)
        if answer.broken:
            self._break_off(request, answer)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    def _break_off(self, request: web.Request, answer: Answer) -> None:
        """Promise a body, send part of it, and be gone."""
        if request.transport is not None:
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(answer.body) + 1)
            request.transport.write(head + answer.body)
            request.transport.close()

    def _abort(self, request: web.Request) -> None:
        if request.transport is not None:
            request.transport.abort()
