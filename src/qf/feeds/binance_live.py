"""Binance live: stream names, the first look at a frame, REST lists cut into single trades.

Weights and limits are the venue's published ones. Spot gives old trades by id to everybody; the
futures venues give the newest thousand without a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from qf.feeds.binance import split_stream, to_ns
from qf.feeds.live_face import Glance, LiveFace, Request
from qf.feeds.record import MAX_INT

_EMPTY = Raw(b"")


class _Top(Struct, gc=False):
    stream: str = ""
    data: Raw = _EMPTY
    e: str = ""
    result: Raw = _EMPTY
    id: Raw = _EMPTY
    error: Raw = _EMPTY


class _Trade(Struct, gc=False):
    id: int = field(name="t")
    sent: int = field(name="E", default=0)


class _AggTrade(Struct, gc=False):
    id: int = field(name="a")
    sent: int = field(name="E", default=0)


class _Depth(Struct, gc=False):
    first_id: int = field(name="U")
    last_id: int = field(name="u")
    prev_id: int = field(name="pu", default=-1)
    sent: int = field(name="E", default=0)


class _Sent(Struct, gc=False):
    sent: int = field(name="E", default=0)
    e: str = ""


class _Listed(Struct, gc=False):
    id: int


class _ListedAgg(Struct, gc=False):
    id: int = field(name="a")


_top = msgspec.json.Decoder(_Top)
_list = msgspec.json.Decoder(list[Raw])
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "trade": msgspec.json.Decoder(_Trade),
    "agg_trade": msgspec.json.Decoder(_AggTrade),
    "depth": msgspec.json.Decoder(_Depth),
}
_sent = msgspec.json.Decoder(_Sent)
_listed = msgspec.json.Decoder(_Listed)
_listed_agg = msgspec.json.Decoder(_ListedAgg)

# channel of a stream name -> kind of a provider's `channels`
KINDS = {
    "trade": "trade",
    "aggTrade": "agg_trade",
    "depth": "depth",
    "partial": "partial_depth",
    "bookTicker": "bbo",
    "markPrice": "mark",
    "forceOrder": "liquidation",
}
_NAMES = {
    "trade": "trade",
    "agg_trade": "aggTrade",
    "depth": "depth@{speed}",
    "partial_depth": "depth20@100ms",
    "bbo": "bookTicker",
    "mark": "markPrice@1s",
    "liquidation": "forceOrder",
}
_BROKEN = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def glance(frame: bytes) -> Glance:
    """Return a first look at a frame of the combined form; never raises."""
    try:
        top = _top.decode(frame)
    except _BROKEN:
        return Glance("")
    if not top.stream:
        if top.e == "serverShutdown":
            return Glance("", kind="shutdown")
        answer = top.result or top.id or top.error
        return Glance("", kind="answer" if answer and not top.e else "other")
    symbol, channel = split_stream(top.stream)
    kind = KINDS.get(channel, "other")
    decoder: msgspec.json.Decoder[Any] = _DECODERS.get(kind, _sent)
    try:
        found = decoder.decode(top.data)
    except _BROKEN:
        return Glance(top.stream, symbol)
    time = to_ns(found.sent) if 0 < found.sent <= MAX_INT else 0
    if kind == "depth":
        return Glance(top.stream, symbol, kind, time, found.first_id, found.last_id, found.prev_id)
    if kind in ("trade", "agg_trade"):
        return Glance(top.stream, symbol, kind, time, found.id, found.id)
    if kind == "other" and found.e == "serverShutdown":
        return Glance(top.stream, kind="shutdown")
    return Glance(top.stream, symbol, kind, time)


def stream_names(symbols: Sequence[str], kinds: Sequence[str], speed: str) -> tuple[str, ...]:
    """Return the streams to subscribe to, symbol by symbol, in the order of `kinds`."""
    names = [_NAMES[kind].format(speed=speed) for kind in kinds]
    return tuple(f"{symbol.lower()}@{name}" for symbol in symbols for name in names)


def split_trades(body: bytes) -> list[tuple[int, bytes]]:
    """Return (id, frame) of each trade of a REST list, by id; empty where it is none."""
    try:
        rows = [bytes(row) for row in _list.decode(body)]
        agg = bool(rows) and b'"id"' not in rows[0]
        decoder: msgspec.json.Decoder[Any] = _listed_agg if agg else _listed
        return sorted((decoder.decode(row).id, row) for row in rows)
    except _BROKEN:
        return []


_QUIET = {"depth": 15.0, "trade": 60.0, "agg_trade": 60.0, "bbo": 60.0, "mark": 5.0}
_STREAMED = ("trade", "agg_trade", "depth", "partial_depth", "bbo", "mark", "liquidation")
_FUTURES_SPEEDS = ("0ms", "100ms", "250ms", "500ms")
SPOT = LiveFace(
    ws_url="wss://stream.binance.com:9443",
    rest_url="https://api.binance.com",
    weight_per_minute=6_000,
    snapshot=Request("/api/v3/depth", 250, 5_000),
    trades=Request("/api/v3/historicalTrades", 25, 1_000),
    agg_trades=Request("/api/v3/aggTrades", 4, 1_000),
    speeds=("100ms", "1000ms"),
    kinds=("trade", "agg_trade", "depth", "partial_depth", "bbo"),
    glance=glance,
    stream_names=stream_names,
    split_trades=split_trades,
    quiet_s=_QUIET,
)


def futures(ws_url: str, rest_url: str, root: str) -> LiveFace:
    """Return the live side of a futures venue whose REST paths begin with `root`."""
    return LiveFace(
        ws_url=ws_url,
        rest_url=rest_url,
        weight_per_minute=2_400,
        snapshot=Request(f"{root}/depth", 20, 1_000),
        trades=Request(f"{root}/trades", 5, 1_000, by_id=False),
        agg_trades=Request(f"{root}/aggTrades", 20, 1_000),
        speeds=_FUTURES_SPEEDS,
        kinds=(*_STREAMED, "open_interest"),
        glance=glance,
        stream_names=stream_names,
        split_trades=split_trades,
        quiet_s=_QUIET,
        asked={"open_interest": Request(f"{root}/openInterest", 1, 0)},
    )
