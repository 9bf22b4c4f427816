"""What the exchange says to a request, and to a websocket that it does not open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Answer(NamedTuple):
    """What a request is answered with; `broken` bodies end in a lost connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_ns: int = 0
    broken: bool = False


class Refused(Exception):
    """A websocket that the venue does not open: the status of its answer, 0 for none at all."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
