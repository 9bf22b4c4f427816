"""Who listens to a stream: a message is written once, and only if somebody does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from qf.exchange.streams import Stream


class Listener(Protocol):
    """What an audience needs of a connection."""

    combined: bool
    # takes (time sent, frame, audience, ids that it carries)
    hear: Callable[[int, bytes, Audience, tuple[int, int]], None]


class Audience:
    """The connections that listen to one stream, in the order in which they came."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.listeners: list[Listener] = []
        self._head = b'{"stream":"%b","data":' % stream.name.encode()

    def send(self, at_ns: int, payload: str, first_id: int, last_id: int) -> None:
        """Send one message to everybody, raw or combined as each asked for."""
        raw = payload.encode()
        combined = b""
        ids = (first_id, last_id)
        for listener in tuple(self.listeners):
            if listener.combined:
                combined = combined or self._head + raw + b"}"
                listener.hear(at_ns, combined, self, ids)
            else:
                listener.hear(at_ns, raw, self, ids)
