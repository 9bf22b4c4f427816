"""The venue's end of one websocket: what it listens to, what it was sent, when it will end.

Messages wait in `outbox` with the time at which they arrive at the client. A driver (in process,
or a real socket) takes those that are due.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from qf.exchange.audience import Audience
from qf.exchange.face import Face
from qf.exchange.streams import read_stream

TEXT, PING, CLOSE, LOST = 0, 1, 2, 3  # LOST: the way is gone, without a word
SECOND_NS = 1_000_000_000
GOING_AWAY, POLICY, TRY_AGAIN = 1001, 1008, 1013


class Message(NamedTuple):
    """What arrives at the client: text, a ping, or the end with its code and reason."""

    due_ns: int
    kind: int
    payload: bytes
    code: int = 0


class Command(msgspec.Struct):
    """A message of a client."""

    method: str
    id: int | str | None = None
    params: list[object] = []


_command = msgspec.json.Decoder(Command)


class Connection:
    """One client's socket; `combined` says in which form it wants its messages."""

    def __init__(
        self, number: int, face: Face, combined: bool, now_ns: int, travel: Callable[[], int]
    ) -> None:
        self.number, self.combined, self.opened_ns = number, combined, now_ns
        self.outbox: deque[Message] = deque()
        self.audiences: dict[str, Audience] = {}
        self.is_open = True
        self.pings = self.sent = 0
        self.pinged_ns = 0  # when a ping was sent that is not answered yet; 0 for none
        self.held_until = 0  # nothing arrives before then
        self.hear: Callable[..., None] = self.deliver
        self._face, self._travel = face, travel
        self._arrived_ns = now_ns
        self._asked: deque[int] = deque()  # times of the client's last messages

    def deliver(self, at_ns: int, frame: bytes, audience: Audience, ids: tuple[int, int]) -> None:
        """Send one message of a stream, as it is."""
        self.post(at_ns, frame)

    def post(self, at_ns: int, payload: bytes, kind: int = TEXT, code: int = 0) -> None:
        """Send something at a time; it arrives later, and after everything sent before it."""
        if not self.is_open:
            return
        due = at_ns + self._travel()
        due = max(due, self._arrived_ns, self.held_until)
        self._arrived_ns = due
        self.outbox.append(Message(due, kind, payload, code))
        if kind == TEXT:
            self.sent += 1
        elif kind == PING:
            self.pings += 1
            self.pinged_ns = self.pinged_ns or at_ns
        else:
            self.is_open = False

    def answered(self, now_ns: int) -> None:
        """Take a pong."""
        self.pinged_ns = 0

    def is_late(self, now_ns: int) -> bool:
        """Say whether a ping has waited too long for its pong."""
        return 0 < self.pinged_ns < now_ns - self._face.pong_s * SECOND_NS

    def is_flood(self, now_ns: int) -> bool:
        """Count a message of the client; say whether that was too many in one second."""
        asked = self._asked
        asked.append(now_ns)
        while asked[0] <= now_ns - SECOND_NS:
            asked.popleft()
        return len(asked) > self._face.messages_per_s


class Desk:
    """Answer the commands of clients: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS."""

    def __init__(
        self,
        face: Face,
        join: Callable[[Connection, str], bool],
        leave: Callable[[Connection, str], None],
    ) -> None:
        self._face, self._join, self._leave = face, join, leave

    def answer(self, connection: Connection, text: bytes) -> bytes:
        """Return the answer to one message of a client."""
        try:
            command = _command.decode(text)
        except msgspec.MsgspecError:
            return _refusal(2, "Invalid request: invalid JSON or missing field", None)
        if command.method == "LIST_SUBSCRIPTIONS":
            return _result(list(connection.audiences), command.id)
        if command.method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            return _refusal(2, f"Invalid request: unknown method {command.method}", command.id)
        names = [name for name in command.params if isinstance(name, str)]
        if not names or len(names) != len(command.params):
            return _refusal(2, "Invalid request: params must be stream names", command.id)
        if command.method == "UNSUBSCRIBE":
            for name in names:
                self._leave(connection, name)
            return _result(None, command.id)
        known = [name for name in names if read_stream(name, self._face) is not None]
        wanted = len({*known, *connection.audiences})
        if wanted > self._face.streams_per_connection:
            return _refusal(3, "Invalid request: too many streams", command.id)
        for name in known:
            self._join(connection, name)
        return _result(None, command.id)


def _result(value: object, number: object) -> bytes:
    return msgspec.json.encode({"result": value, "id": number})


def _refusal(code: int, text: str, number: object) -> bytes:
    return msgspec.json.encode({"error": {"code": code, "msg": text}, "id": number})
