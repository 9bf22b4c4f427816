"""The real World: the machine's clocks, a folder with fsync, sockets by picows, REST by aiohttp.

Nothing of it is trusted with memory: a message has a cap over all its fragments, compression is
never agreed to, a socket that brings more than is taken is no longer read, an answer longer than
its cap is broken off, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
import importlib.util
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from qf.errors import RunError, diagnostic
from qf.live.real_disk import RealDisk
from qf.seams import Closed, Response, World

NO_NETWORK = diagnostic(
    "QF585", "the live session needs the package {name}", RunError, 'pip install "qf[live]"'
)

CONNECT_S = 10.0
MOST_WAITING, MOST_WAITING_BYTES = 8_192, 32 << 20
CHUNK = 1 << 16

Result = TypeVar("Result")


class RealClock:
    """The machine's clocks."""

    def wall_ns(self) -> int:
        """Return UTC in ns."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return ns that never run back."""
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


class RealSocket:
    """seams.Socket over one picows connection; see `_listener` for what fills it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._part: list[bytes] = []
        self._part_bytes = 0
        self._why: Closed | None = None
        self._some: asyncio.Future[None] | None = None
        self._paused = False
        self._watching: asyncio.Task[None] | None = None
        self.transport: Any = None

    async def receive(self) -> bytes:
        """Return the next message; what came before the end is handed out first."""
        while not self._waiting:
            if self._why is not None:
                raise self._why
            self._some = asyncio.get_running_loop().create_future()
            await self._some
        payload = self._waiting.popleft()
        self._bytes -= len(payload)
        if self._paused and 2 * len(self._waiting) <= MOST_WAITING:
            self._paused = False
            self.transport.underlying_transport.resume_reading()
        return payload

    async def send(self, text: bytes) -> None:
        """Send one text message."""
        from picows import WSMsgType

        if self._why is not None:
            raise self._why
        self.transport.send(WSMsgType.TEXT, text)

    async def close(self) -> None:
        """Say goodbye and let go."""
        if self._why is None:
            self.transport.send_close()
            self.end(Closed("closed by us"))
        self.transport.disconnect()

    def watch(self) -> None:
        """Take in how the transport ends: an error that nobody takes would be printed."""

        async def until_it_ends() -> None:
            try:
                await self.transport.wait_disconnected()
            except Exception as failure:
                self.end(Closed(_short(failure), 1002))

        self._watching = asyncio.get_running_loop().create_task(until_it_ends())

    def end(self, why: Closed) -> None:
        """Note that nothing more will come."""
        self._why = self._why or why
        self._wake()

    def add(self, payload: bytes, is_whole: bool) -> bool:
        """Take a frame; False when the message has grown over its cap."""
        self._part_bytes += len(payload)
        if self._part_bytes > self._most:
            self._part.clear()
            return False
        if not is_whole:
            self._part.append(payload)
            # A message of a million empty fragments is bounded by number as well.
            return len(self._part) <= MOST_WAITING
        if self._part:
            payload = b"".join((*self._part, payload))
            self._part.clear()
        self._part_bytes = 0
        self._waiting.append(payload)
        self._bytes += len(payload)
        full = len(self._waiting) >= MOST_WAITING or self._bytes >= MOST_WAITING_BYTES
        if full and not self._paused:
            self._paused = True
            self.transport.underlying_transport.pause_reading()
        self._wake()
        return True

    def _wake(self) -> None:
        if self._some is not None and not self._some.done():
            self._some.set_result(None)


def _listener(socket: RealSocket) -> Any:
    """Return what picows calls: it fills the socket, and closes what breaks the protocol."""
    from picows import WSCloseCode, WSListener, WSMsgType

    class Listener(WSListener):
        def on_ws_connected(self, transport: Any) -> None:
            socket.transport = transport

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            kind = frame.msg_type
            if kind in (WSMsgType.PING, WSMsgType.PONG):
                return
            if kind == WSMsgType.CLOSE:
                code = int(getattr(frame.get_close_code(), "value", 0))
                socket.end(Closed("closed by the venue", code))
                transport.send_close(frame.get_close_code())
                transport.disconnect()
            elif frame.rsv1:
                self._refuse(transport, WSCloseCode.PROTOCOL_ERROR, "compressed, unasked")
            elif not socket.add(frame.get_payload_as_bytes(), frame.fin):
                self._refuse(transport, WSCloseCode.MESSAGE_TOO_BIG, "a message is too long")

        def on_ws_disconnected(self, transport: Any) -> None:
            socket.end(Closed("the connection broke", 1006))

        def _refuse(self, transport: Any, code: Any, why: str) -> None:
            socket.end(Closed(why, int(code.value)))
            transport.send_close(code)
            transport.disconnect()

    return Listener()


class RealNetwork:
    """Websockets by picows, GET by aiohttp."""

    def __init__(self) -> None:
        self._http: Any = None

    async def connect(self, url: str, max_message_bytes: int) -> RealSocket:
        """Open a websocket. Errors: Closed."""
        from picows import ws_connect
        from picows.common import WSError

        socket = RealSocket(max_message_bytes)
        try:
            async with asyncio.timeout(CONNECT_S):
                socket.transport, _ = await ws_connect(
                    lambda: _listener(socket),
                    url,
                    max_frame_size=max_message_bytes,
                    websocket_handshake_timeout=CONNECT_S,
                    max_redirects=0,
                )
        except (OSError, WSError, ValueError) as refused:
            raise Closed(f"no connection: {_short(refused)}") from None
        socket.watch()
        return socket

    async def get(
        self, url: str, params: Sequence[tuple[str, str]], timeout_s: float, max_bytes: int
    ) -> Response:
        """Return the answer to a GET. Errors: Closed."""
        import aiohttp

        if self._http is None:
            self._http = aiohttp.ClientSession(
                headers={"Accept-Encoding": "identity"}, auto_decompress=False, trust_env=False
            )
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._http.get(url, params=list(params), allow_redirects=False) as answer,
            ):
                body = bytearray()
                while chunk := await answer.content.read(CHUNK):
                    body += chunk
                    if len(body) > max_bytes:
                        raise Closed("the answer is too long")
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status, headers, bytes(body))
        except (OSError, aiohttp.ClientError, ValueError) as failure:
            raise Closed(f"no answer: {_short(failure)}") from None

    async def close(self) -> None:
        """Let go of the connections that are kept for the next question."""
        if self._http is not None:
            await self._http.close()


def _short(failure: BaseException) -> str:
    text = str(failure) or type(failure).__name__
    return text.splitlines()[0][:200]


def run_real(folder: Path, main: Callable[[World], Coroutine[Any, Any, Result]]) -> Result:
    """Run a program in the real World whose disk is `folder`, on uvloop where it is there.

    Errors: QF585.
    """
    need_network()

    async def inside() -> Result:
        network = RealNetwork()
        world = World(RealClock(), random.SystemRandom(), RealDisk(folder), network)
        try:
            return await main(world)
        finally:
            await network.close()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(inside())


def need_network() -> None:
    """Refuse where the packages of a live session are missing. Errors: QF585."""
    for name in ("picows", "aiohttp"):
        if importlib.util.find_spec(name) is None:
            raise NO_NETWORK(name=name)


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
