"""A recorded capture in process, exactly as it was recorded: `qf.seams.Network` for one session.

Every frame is handed out once, in the capture's order, to the websocket that subscribed to its
stream; the next one follows when that websocket asks again, so that nothing overtakes. With
`clock` as the session's clock each frame is stamped with the time at which it was recorded, and a
live session then computes what a batch run over the capture does. Recorded REST snapshots come in
their place among the frames; requests find nothing, so that nothing is computed twice. Whoever
goes on after a crash asks for the frames `after` so many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl, urlsplit

import msgspec

from qf.exchange.recorded import Recorded, heard_by, recorded
from qf.seams import Clock, Closed, Response

SECOND_NS = 1_000_000_000


class ReplayClock:
    """The clock of a replay: its wall shows the receive time of the frame that was read last."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self.read_ns = 0

    def wall_ns(self) -> int:
        """Return the recorded receive time."""
        return self.read_ns

    def monotonic_ns(self) -> int:
        """Return the base clock's time."""
        return self._base.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Return after so many of the base clock's seconds."""
        await self._base.sleep(seconds)


class ReplayNetwork:
    """The way to a recorded venue. `speed` 0 hands out frames as fast as they are read.

    The first frame waits until `clients` websockets are open: what nobody subscribed to is lost.
    """

    def __init__(
        self,
        arrivals: Iterable[tuple[int, object, str]],
        base: Clock,
        speed: float = 0.0,
        after: int = 0,
        clients: int = 1,
    ) -> None:
        self.clock = ReplayClock(base)
        self._clients = clients  # that are still missing
        self.given = after  # frames handed out, passed over or not subscribed to
        self.is_over = False
        self._frames = recorded(arrivals, after)
        self._next: Recorded | None = None
        self._speed = speed
        self._began: tuple[int, int] | None = None  # (monotonic, receive time) of the first
        self._sockets: list[ReplaySocket] = []
        self._holder: ReplaySocket | None = None  # who still works on the last frame
        self._waiting: list[asyncio.Future[None]] = []

    async def connect(self, url: str, max_message_bytes: int) -> ReplaySocket:
        """Open a websocket onto the frames. Errors: Closed."""
        parts = urlsplit(url)
        folders = [part for part in parts.path.split("/") if part]
        raw = "ws" in folders
        names = dict(parse_qsl(parts.query)).get("streams", "").split("/")
        if raw:
            names = folders[folders.index("ws") + 1 :]
        socket = ReplaySocket(self, not raw, {heard_by(name) for name in names if "@" in name})
        self._sockets.append(socket)
        self._clients -= 1
        self._tell()
        return socket

    async def get(
        self, url: str, params: Sequence[tuple[str, str]], timeout_s: float, max_bytes: int
    ) -> Response:
        """Answer 404: what was recorded comes among the frames."""
        return Response(404, {}, b'{"code":-1100,"msg":"a replay answers no request"}')

    async def next_for(self, socket: ReplaySocket) -> Recorded:
        """Return the next frame that is the socket's, when its turn has come. Errors: Closed."""
        if self._holder is socket:
            self._holder = None
            self._tell()
        while not socket.closed:
            if self._holder is None and self._owner() is socket:
                return await self._hand_to(socket)
            if self.is_over:
                raise Closed("the capture is over", 1000)
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        raise Closed("closed by the client", 1000)

    def leave(self, socket: ReplaySocket) -> None:
        """Take a socket out that was closed."""
        if socket in self._sockets:
            self._sockets.remove(socket)
        if self._holder is socket:
            self._holder = None
        self._tell()

    def _owner(self) -> ReplaySocket | None:
        """Return whose the next frame is; frames that nobody subscribed to are passed over."""
        while not self.is_over and self._clients <= 0:
            if self._next is None:
                self._next = next(self._frames, None)
                self.is_over = self._next is None
                self._tell()
                continue
            stream = heard_by(self._next.stream)
            for socket in self._sockets:
                if not stream or stream in socket.heard:
                    return socket
            self._next = None
            self.given += 1
        return None

    async def _hand_to(self, socket: ReplaySocket) -> Recorded:
        found = self._next
        assert found is not None
        self._next, self._holder = None, socket
        self.given += 1
        await self._wait(found.receive_ns)
        self.clock.read_ns = found.receive_ns
        return found

    async def _wait(self, receive_ns: int) -> None:
        if not self._speed:
            await asyncio.sleep(0)  # let whoever computes have its turn
            return
        now = self.clock.monotonic_ns()
        if self._began is None:
            self._began = (now, receive_ns)
        due = (receive_ns - self._began[1]) / self._speed - (now - self._began[0])
        if due > 0:
            await self.clock.sleep(due / SECOND_NS)

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)


class ReplaySocket:
    """One websocket of a replay; `heard` is what it subscribed to."""

    def __init__(self, network: ReplayNetwork, combined: bool, heard: set[str]) -> None:
        self.heard, self.closed = heard, False
        self._network, self._combined = network, combined
        self._answers: list[bytes] = []

    async def receive(self) -> bytes:
        """Return the next frame. Errors: Closed."""
        if self._answers and not self.closed:
            return self._answers.pop(0)
        found = await self._network.next_for(self)
        return found.frame if self._combined else found.payload

    async def send(self, text: bytes) -> None:
        """Take a subscription; its answer comes before the next frame. Errors: Closed."""
        if self.closed:
            raise Closed("closed by the client", 1000)
        try:
            command = msgspec.json.decode(text)
            names = {heard_by(name) for name in command.get("params", ()) if "@" in name}
        except (msgspec.MsgspecError, AttributeError, TypeError):
            return
        if command.get("method") == "UNSUBSCRIBE":
            self.heard -= names
        else:
            self.heard |= names
        self._answers.append(msgspec.json.encode({"result": None, "id": command.get("id")}))

    async def close(self) -> None:
        """Close it; closing twice is no error."""
        if not self.closed:
            self.closed = True
            self._network.leave(self)
