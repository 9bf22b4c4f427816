"""What a venue is live: its addresses, what may be asked of it, and a first look at a frame.

A venue that can be subscribed to has a `LIVE` of this kind beside its mapper. The first look is
not the parse: it reads the few numbers that the session needs to keep its connections, so it has
to be cheap, and it never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Glance(NamedTuple):
    """A first look: times in ns (0 where the frame says none), ids -1 where it has none."""

    stream: str  # the name it was subscribed by; "" where the frame does not say
    symbol: str = ""
    kind: str = "unreadable"  # trade, agg_trade, depth, bbo, mark, other, answer, shutdown
    time: int = 0
    first_id: int = -1
    last_id: int = -1
    prev_id: int = -1


@dataclass(frozen=True)
class Request:
    """One kind of REST request: its path, fixed parameters, and the weight it costs."""

    path: str
    weight: int
    limit: int
    by_id: bool = True  # false: it gives the newest only


@dataclass(frozen=True)
class LiveFace:
    """The live side of a venue; all defaults are the venue's own addresses and limits."""

    ws_url: str
    rest_url: str
    weight_per_minute: int
    snapshot: Request
    trades: Request
    agg_trades: Request
    speeds: tuple[str, ...]  # of the differences, the default first
    kinds: tuple[str, ...]  # what one may subscribe to
    glance: Callable[[bytes], Glance]
    stream_names: Callable[[Sequence[str], Sequence[str], str], tuple[str, ...]]
    split_trades: Callable[[bytes], list[tuple[int, bytes]]]
    quiet_s: Mapping[str, float]  # how long a quiet stream may be silent, by kind; 0: for ever
    asked: Mapping[str, Request] = field(default_factory=dict)  # kinds that REST alone gives
    asked_every_s: float = 10.0
    life_s: float = 85_800.0  # 23 h 50: a connection is replaced before the venue closes it
    streams_per_connection: int = 200
