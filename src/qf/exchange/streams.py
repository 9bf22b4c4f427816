"""Names of streams: what a client may subscribe to, and what it thereby means."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from qf.exchange.face import Face

INTERVALS_S = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "4h": 14_400,
    "1d": 86_400,
}
PARTIAL = (5, 10, 20)
FASTEST_MS = 100  # of a depth stream; "as fast as possible" (0) is this


class Stream(NamedTuple):
    """One stream of one symbol.

    `channel` is trade, aggTrade, bookTicker, depth, partial, kline, markPrice or forceOrder.
    `speed_ms` is the interval of a depth, mark price or forced order stream, `detail` the levels
    of a partial book or the seconds of a candle.
    """

    name: str
    symbol: str
    channel: str
    speed_ms: int = 0
    detail: int = 0


@lru_cache(maxsize=65_536)
def read_stream(name: str, face: Face) -> Stream | None:
    """Return what a stream's name means at a venue, or None if it means nothing there."""
    symbol, at, rest = name.partition("@")
    if not at or symbol != symbol.lower():
        return None
    channel, _, speed = rest.partition("@")
    symbol = symbol.upper()
    if channel in ("trade", "aggTrade", "bookTicker") and not speed:
        return Stream(name, symbol, channel)
    if channel.startswith("depth"):
        return _depth(name, symbol, channel.removeprefix("depth"), speed, face)
    if channel.startswith("kline_") and not speed:
        seconds = INTERVALS_S.get(channel.removeprefix("kline_"))
        if seconds and not (seconds == 1 and face.futures):
            return Stream(name, symbol, "kline", detail=seconds)
    if channel == "markPrice" and face.futures and speed in ("", "1s"):
        return Stream(name, symbol, "markPrice", speed_ms=1_000 if speed else 3_000)
    if channel == "forceOrder" and face.futures and not speed:
        return Stream(name, symbol, channel, speed_ms=1_000)
    return None


def _depth(name: str, symbol: str, levels: str, speed: str, face: Face) -> Stream | None:
    if levels and not (levels.isdigit() and int(levels) in PARTIAL):
        return None
    wanted = face.speeds_ms[0]
    if speed:
        if not (speed.endswith("ms") and speed[:-2].isdigit()):
            return None
        wanted = int(speed[:-2])
    if wanted not in face.speeds_ms:
        return None
    every = max(wanted, FASTEST_MS)
    if levels:
        return Stream(name, symbol, "partial", every, int(levels))
    return Stream(name, symbol, "depth", every)
