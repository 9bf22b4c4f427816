"""What a server, or a network in process, needs of a venue: simulated, or recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from qf.exchange.answer import Answer
from qf.exchange.connection import Connection


class Venue(Protocol):
    """A venue that is told the time and keeps its messages in the connections' outboxes."""

    now_ns: int

    @property
    def latency_s(self) -> float:
        """Return how long a request is under way, one way."""
        ...

    @property
    def next_ns(self) -> int:
        """Return when the next thing happens."""
        ...

    def advance(self, to_ns: int) -> None:
        """Let everything happen that is due by then."""
        ...

    def connect(self, path: str, streams: str = "", client: str = "") -> Connection:
        """Open a websocket. Errors: Refused."""
        ...

    def receive(self, connection: Connection, text: bytes) -> None:
        """Take a message of a client."""
        ...

    def drop(self, connection: Connection) -> None:
        """Forget a connection whose client is gone."""
        ...

    def get(
        self, path: str, params: Mapping[str, str], client: str = "", has_key: bool = False
    ) -> Answer:
        """Answer a GET request now."""
        ...
