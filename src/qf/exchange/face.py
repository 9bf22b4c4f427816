"""What a venue's interface looks like from outside: paths, limits and weights, as published.

Source: the venue's public REST and websocket documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MINUTE_S, HOUR_S = 60, 3_600


@dataclass(frozen=True, eq=False)
class Face:
    """One venue's paths, limits and request weights."""

    venue: str
    prefix: str  # of every REST path
    weight_limit: int  # per minute and client
    depth_weights: tuple[tuple[int, int], ...]  # (levels up to, weight), ascending
    depth_limits: tuple[int, ...]  # the only limits that are allowed; empty: any up to the most
    depth_default: int
    weights: dict[str, int]  # by endpoint, where the parameters do not matter
    kline_weights: tuple[tuple[int, int], ...]  # (candles up to, weight), ascending
    speeds_ms: tuple[int, ...]  # of the depth streams; the first is what a bare name means
    ping_s: int
    pong_s: int  # a client that stays silent so long after a ping is disconnected
    messages_per_s: int  # that a client may send
    streams_per_connection: int
    categories: tuple[str, ...]  # path parts that may stand before /ws and /stream
    key_needed: tuple[str, ...]  # endpoints that ask for a key, without asking whose

    @property
    def futures(self) -> bool:
        """Say whether the venue trades futures."""
        return self.prefix != "/api/v3"

    @property
    def inverse(self) -> bool:
        """Say whether sizes are contracts of a fixed value."""
        return self.prefix.startswith("/dapi")


SPOT = Face(
    venue="binance_spot",
    prefix="/api/v3",
    weight_limit=6_000,
    depth_weights=((100, 5), (500, 25), (1_000, 50), (5_000, 250)),
    depth_limits=(),
    depth_default=100,
    weights={
        "ping": 1,
        "time": 1,
        "exchangeInfo": 20,
        "trades": 25,
        "historicalTrades": 25,
        "aggTrades": 4,
    },
    kline_weights=((1_000, 2),),
    speeds_ms=(1_000, 100),
    ping_s=20,
    pong_s=60,
    messages_per_s=5,
    streams_per_connection=1_024,
    categories=(),
    key_needed=(),
)
USDM = Face(
    venue="binance_usdm",
    prefix="/fapi/v1",
    weight_limit=2_400,
    depth_weights=((50, 2), (100, 5), (500, 10), (1_000, 20)),
    depth_limits=(5, 10, 20, 50, 100, 500, 1_000),
    depth_default=500,
    weights={
        "ping": 1,
        "time": 1,
        "exchangeInfo": 1,
        "trades": 5,
        "historicalTrades": 20,
        "aggTrades": 20,
        "openInterest": 1,
    },
    kline_weights=((99, 1), (499, 2), (1_000, 5), (1_500, 10)),
    speeds_ms=(250, 0, 100, 500),
    ping_s=180,
    pong_s=600,
    messages_per_s=10,
    streams_per_connection=1_024,
    categories=("public", "market"),
    key_needed=("historicalTrades",),
)
COINM = replace(
    USDM, venue="binance_coinm", prefix="/dapi/v1", streams_per_connection=200, categories=()
)
FACES = {face.venue: face for face in (SPOT, USDM, COINM)}
