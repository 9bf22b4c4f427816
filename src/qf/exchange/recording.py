"""A recorded capture as a venue: what `ExchangeServer` and `ExchangeNetwork` serve, recorded.

Time begins with the first client: each frame is sent as long after that as it was recorded after
the first frame, to whoever subscribed to its stream. A request for a snapshot is answered with the
last one that was recorded by then; there is nothing else to ask for but the time. A client that
reads slowly holds the replay back: no frame is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from qf.exchange.answer import Answer
from qf.exchange.connection import CLOSE, Connection
from qf.exchange.face import FACES, USDM
from qf.exchange.recorded import Recorded, heard_by, recorded

NEVER = 2**62
MOST_WAITING = 20_000  # messages for one client before the replay waits for it
HEADERS = {"content-type": "application/json", "x-mbx-used-weight-1m": "1"}


class Recording:
    """Serve the frames of a capture once, and close the connections behind the last one."""

    latency_s = 0.0

    def __init__(
        self, arrivals: Iterable[tuple[int, object, str]], venue: str, after: int = 0
    ) -> None:
        self._frames = recorded(arrivals, after)
        self._next = next(self._frames, None)
        self.now_ns = self._next.receive_ns if self._next is not None else 0
        self.connections: list[Connection] = []
        self.given = after
        self._face = FACES.get(venue, USDM)
        self._shift: int | None = None  # from receive times to the replay's; none before a client
        self._last_due = self.now_ns
        self._heard: dict[int, set[str]] = {}
        self._snapshots: dict[str, bytes] = {}
        self._symbol = ""  # of the frames so far; a spot snapshot names none
        self._opened = 0

    @property
    def is_over(self) -> bool:
        """Say whether every frame was sent."""
        return self._next is None

    @property
    def next_ns(self) -> int:
        """Return when the next frame is due; never before there is a client."""
        return NEVER if self._next is None or self._shift is None else self._due(self._next)

    def advance(self, to_ns: int) -> None:
        """Send everything that is due by then."""
        while self._next is not None and self._shift is not None:
            due = self._due(self._next)
            if due > to_ns or any(len(c.outbox) > MOST_WAITING for c in self.connections):
                break
            self.now_ns = self._last_due = due
            self._send(self._next, due)
            self.given += 1
            self._next = next(self._frames, None)
            if self._next is None:
                for connection in list(self.connections):
                    connection.post(due, b"the capture is over", CLOSE, 1000)
        self.now_ns = max(self.now_ns, to_ns)

    def connect(self, path: str, streams: str = "", client: str = "") -> Connection:
        """Open a websocket."""
        parts = [part for part in path.split("/") if part]
        raw = "ws" in parts
        names = parts[parts.index("ws") + 1 :] if raw else streams.split("/")
        self._opened += 1
        connection = Connection(self._opened, self._face, not raw, self.now_ns, lambda: 0)
        self._heard[connection.number] = {heard_by(name) for name in names if "@" in name}
        self.connections.append(connection)
        if self._shift is None and self._next is not None:
            self._shift = self.now_ns - self._next.receive_ns
        if self._next is None:
            connection.post(self.now_ns, b"the capture is over", CLOSE, 1000)
        return connection

    def receive(self, connection: Connection, text: bytes) -> None:
        """Take a subscription and answer it."""
        try:
            command = msgspec.json.decode(text)
            names = {heard_by(name) for name in command.get("params", ()) if "@" in name}
        except (msgspec.MsgspecError, AttributeError, TypeError):
            return
        heard = self._heard.setdefault(connection.number, set())
        if command.get("method") == "UNSUBSCRIBE":
            heard -= names
        else:
            heard |= names
        answer = msgspec.json.encode({"result": None, "id": command.get("id")})
        connection.post(self.now_ns, answer)

    def drop(self, connection: Connection) -> None:
        """Forget a connection whose client is gone."""
        connection.is_open = False
        self._heard.pop(connection.number, None)
        if connection in self.connections:
            self.connections.remove(connection)

    def get(
        self, path: str, params: Mapping[str, str], client: str = "", has_key: bool = False
    ) -> Answer:
        """Answer a request from what was recorded."""
        endpoint = path.rsplit("/", 1)[-1]
        if endpoint == "ping":
            return Answer(200, HEADERS, b"{}")
        if endpoint == "time":
            return Answer(200, HEADERS, b'{"serverTime":%d}' % (self.now_ns // 1_000_000))
        found = self._snapshots.get(params.get("symbol", "")) if endpoint == "depth" else None
        if found is None:
            return Answer(404, HEADERS, b'{"code":-1100,"msg":"the capture does not hold that"}')
        return Answer(200, HEADERS, found)

    def _due(self, frame: Recorded) -> int:
        return max(frame.receive_ns + (self._shift or 0), self._last_due)

    def _send(self, frame: Recorded, due: int) -> None:
        if frame.is_snapshot:
            self._snapshots[frame.symbol or self._symbol] = frame.frame
            return
        stream = heard_by(frame.stream)
        self._symbol = stream.partition("@")[0].upper() or self._symbol
        for connection in self.connections:
            if not stream or stream in self._heard[connection.number]:
                connection.post(due, frame.frame if connection.combined else frame.payload)
