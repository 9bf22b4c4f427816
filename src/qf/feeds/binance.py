"""Binance's wire format, shared by its spot, USD-M and COIN-M venues.

Both forms are read: combined ({"stream": …, "data": …}) and raw. A frame is decoded twice, first
its envelope, then its payload into one typed struct, so that nothing untyped is ever built.
Source: the venue's public websocket and REST documentation, and real captures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, field

from qf.clock import EARLIEST_NS, LATEST_NS
from qf.feeds.record import IGNORED, MAX_FRAME_BYTES, MAX_INT, MAX_LEVELS, Quarantine, Record
from qf.schema import BIT, NULL_INT

Id = Annotated[int, Meta(ge=0, le=MAX_INT)]
Time = Annotated[int, Meta(ge=-MAX_INT, le=MAX_INT)]
Side = Annotated[list[tuple[str, str]], Meta(max_length=MAX_LEVELS)]

_EMPTY = Raw(b"")
NON_MARKET = BIT["non_market"]
MARKET_TYPES = ("MARKET", "LIMIT", "")


class _Envelope(Struct, gc=False):
    stream: str = ""
    data: Raw = _EMPTY
    e: str = ""
    snapshot_id: Raw = field(name="lastUpdateId", default=_EMPTY)
    ask_size: Raw = field(name="A", default=_EMPTY)
    result: Raw = _EMPTY
    id: Raw = _EMPTY
    code: Raw = _EMPTY
    listed: Raw = field(name="isBuyerMaker", default=_EMPTY)
    listed_agg: Raw = field(name="f", default=_EMPTY)
    interest: Raw = field(name="openInterest", default=_EMPTY)


class Trade(Struct, gc=False):
    """A print of the trade channel."""

    symbol: str = field(name="s")
    sent_time: Time = field(name="E")
    id: Id = field(name="t")
    price: str = field(name="p")
    size: str = field(name="q")
    time: Time = field(name="T")
    is_buyer_maker: bool = field(name="m")
    type: str = field(name="X", default="")


class AggTrade(Struct, gc=False):
    """Prints of one aggressor at one price, of the aggTrade channel."""

    symbol: str = field(name="s")
    sent_time: Time = field(name="E")
    id: Id = field(name="a")
    price: str = field(name="p")
    size: str = field(name="q")
    time: Time = field(name="T")
    is_buyer_maker: bool = field(name="m")
    type: str = ""


class ListedTrade(Struct, gc=False):
    """A print of a REST list, which names no symbol; it fills a hole of the trade channel."""

    id: Id
    price: str
    size: str = field(name="qty")
    time: Time
    is_buyer_maker: bool = field(name="isBuyerMaker")
    symbol: str = ""
    type: str = ""
    sent_time: int = 1


class ListedAggTrade(Struct, gc=False):
    """The same of the aggTrade channel."""

    id: Id = field(name="a")
    price: str = field(name="p")
    size: str = field(name="q")
    time: Time = field(name="T")
    is_buyer_maker: bool = field(name="m")
    symbol: str = ""
    type: str = ""
    sent_time: int = 1


class SpotDepth(Struct, gc=False):
    """A book difference; its only time is E."""

    symbol: str = field(name="s")
    time: Time = field(name="E")
    first_id: Id = field(name="U")
    last_id: Id = field(name="u")
    bids: Side = field(name="b")
    asks: Side = field(name="a")
    prev_id: int = NULL_INT
    sent_time: int = 1


class FuturesDepth(Struct, gc=False):
    """A book difference with the matching time T and the previous message's last id."""

    symbol: str = field(name="s")
    sent_time: Time = field(name="E")
    time: Time = field(name="T")
    first_id: Id = field(name="U")
    last_id: Id = field(name="u")
    prev_id: Id = field(name="pu")
    bids: Side = field(name="b")
    asks: Side = field(name="a")


class SpotTicker(Struct, gc=False):
    """A best bid and offer, without any time."""

    symbol: str = field(name="s")
    id: Id = field(name="u")
    bid_price: str = field(name="b")
    bid_size: str = field(name="B")
    ask_price: str = field(name="a")
    ask_size: str = field(name="A")
    time: int = NULL_INT
    sent_time: int = 1


class FuturesTicker(Struct, gc=False):
    """A best bid and offer with its matching time."""

    symbol: str = field(name="s")
    sent_time: Time = field(name="E")
    id: Id = field(name="u")
    bid_price: str = field(name="b")
    bid_size: str = field(name="B")
    ask_price: str = field(name="a")
    ask_size: str = field(name="A")
    time: Time = field(name="T")


class Book(Struct, gc=False):
    """A REST snapshot, or a spot partial book; futures say the symbol only on COIN-M."""

    last_id: Id = field(name="lastUpdateId")
    bids: Side
    asks: Side
    time: Annotated[int, Meta(le=MAX_INT)] = field(name="T", default=NULL_INT)
    symbol: str = ""
    sent_time: int = field(name="E", default=1)


class Mark(Struct, gc=False):
    """Mark price and funding; T is the NEXT FUNDING time, so E is the event's."""

    symbol: str = field(name="s")
    time: Time = field(name="E")
    mark_price: str = field(name="p")
    index_price: str = field(name="i", default="")
    settle_price: str = field(name="P", default="")
    rate: str = field(name="r", default="")
    next_time: Time = field(name="T", default=0)


class _Order(Struct, gc=False):
    symbol: str = field(name="s")
    side: str = field(name="S")
    price: str = field(name="p")
    size: str = field(name="q")
    average_price: str = field(name="ap")
    status: str = field(name="X")
    time: Time = field(name="T")


class Liquidation(Struct, gc=False):
    """A forced order."""

    order: _Order = field(name="o")
    symbol: str = ""


class OpenInterest(Struct, gc=False):
    """The size of all open positions, as REST answers."""

    symbol: str
    interest: str = field(name="openInterest")
    time: Time


def to_ns(time: int) -> int:
    """Return ns of a venue time in ms or us, told apart by magnitude; not positive gives 0."""
    if 1_104_537_600_000 <= time <= 4_102_444_800_000:
        return time * 1_000_000
    if time <= 0:
        return 0 if time != NULL_INT else NULL_INT
    if EARLIEST_NS <= time * 1_000 <= LATEST_NS:
        return time * 1_000
    return min(time, MAX_INT)  # outside every sensible year: the screen says so


def _time(x: Any) -> int:
    # A message whose sending time is missing or zero is not trusted on its matching time either.
    return to_ns(x.time) if x.sent_time > 0 else 0


def _trade(stream: str) -> Callable[[Any, str], Record]:
    def read(x: Trade | AggTrade | ListedTrade | ListedAggTrade, channel: str) -> Record:
        level, time = ((x.price, x.size),), _time(x)
        flags = 0 if x.type in MARKET_TYPES else NON_MARKET
        if x.is_buyer_maker:
            return Record(stream, x.symbol, time, time, x.id, x.id, NULL_INT, -1, flags, (), level)
        return Record(stream, x.symbol, time, time, x.id, x.id, NULL_INT, 1, flags, level)

    return read


def _depth(x: SpotDepth | FuturesDepth, channel: str) -> Record:
    time = _time(x)
    ids = (x.first_id, x.last_id, x.prev_id)
    return Record("depth", x.symbol, time, time, *ids, 0, 0, x.bids, x.asks)


def _partial(x: SpotDepth | FuturesDepth | Book, channel: str) -> Record:
    # The top of a book: it stands for itself, and no difference may be chained to it.
    time = _time(x)
    return Record("snapshot", x.symbol, time, time, bids=x.bids, asks=x.asks)


def _book(x: Book, channel: str) -> Record:
    time = to_ns(x.time)
    ids = (x.last_id, x.last_id, NULL_INT)
    return Record("snapshot", x.symbol, time, time, *ids, 0, 0, x.bids, x.asks)


def _ticker(x: SpotTicker | FuturesTicker, channel: str) -> Record:
    time = _time(x)
    bid, ask = ((x.bid_price, x.bid_size),), ((x.ask_price, x.ask_size),)
    return Record("bbo", x.symbol, time, time, x.id, x.id, NULL_INT, 0, 0, bid, ask)


def _mark(x: Mark, channel: str) -> Record:
    time = to_ns(x.time)
    values = (x.mark_price, x.index_price, x.settle_price, x.rate, to_ns(x.next_time))
    return Record("mark", x.symbol, time, time, values=values)


def _liquidation(x: Liquidation, channel: str) -> Record:
    order = x.order
    time = to_ns(order.time)
    # A forced SELL closes a long: the liquidation's own direction is down.
    values = (order.price, order.size, order.average_price, order.status)
    direction = {"BUY": 1, "SELL": -1}.get(order.side, 0)
    return Record("liquidation", order.symbol, time, time, direction=direction, values=values)


def _interest(x: OpenInterest, channel: str) -> Record:
    time = to_ns(x.time)
    return Record("open_interest", x.symbol, time, time, values=(x.interest,))


@dataclass(frozen=True)
class Reader:
    """How one channel's payload becomes a record."""

    stream: str
    decoder: msgspec.json.Decoder[Any]
    read: Callable[[Any, str], Record]


def _reader(stream: str, shape: type, read: Callable[[Any, str], Record]) -> Reader:
    return Reader(stream, msgspec.json.Decoder(shape), read)


_SHARED = {
    "trade": _reader("trade", Trade, _trade("trade")),
    "aggTrade": _reader("agg_trade", AggTrade, _trade("agg_trade")),
    "book": _reader("snapshot", Book, _book),
    "listed": _reader("trade", ListedTrade, _trade("trade")),
    "listed_agg": _reader("agg_trade", ListedAggTrade, _trade("agg_trade")),
}
SPOT = {
    **_SHARED,
    "depth": _reader("depth", SpotDepth, _depth),
    "partial": _reader("snapshot", Book, _partial),
    "bookTicker": _reader("bbo", SpotTicker, _ticker),
}
FUTURES = {
    **_SHARED,
    "depth": _reader("depth", FuturesDepth, _depth),
    "partial": _reader("snapshot", FuturesDepth, _partial),
    "bookTicker": _reader("bbo", FuturesTicker, _ticker),
    "markPrice": _reader("mark", Mark, _mark),
    "forceOrder": _reader("liquidation", Liquidation, _liquidation),
    "openInterest": _reader("open_interest", OpenInterest, _interest),
}
# Raw frames say what they are in "e"; a futures partial book cannot be told from a difference
# there, so raw depthUpdate always means a difference.
_EVENTS = {"depthUpdate": "depth", "markPriceUpdate": "markPrice"}
_envelope = msgspec.json.Decoder(_Envelope)


@lru_cache(maxsize=4096)
def split_stream(stream: str) -> tuple[str, str]:
    """Return (symbol, channel) of a stream name: ("BTCUSDT", "depth") of "btcusdt@depth@100ms"."""
    symbol, _, rest = stream.partition("@")
    channel = rest.partition("@")[0]
    if channel in ("depth5", "depth10", "depth20"):
        channel = "partial"
    return symbol.upper(), channel


def parse(frame: bytes, readers: dict[str, Reader]) -> tuple[Record, ...]:
    """Return the records of one frame; raise Quarantine for anything malformed."""
    if len(frame) > MAX_FRAME_BYTES:
        raise Quarantine("too_large")
    try:
        top = _envelope.decode(frame)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
        raise Quarantine(*_rules(problem)) from None
    if top.stream:
        symbol, channel = split_stream(top.stream)
        payload: Any = top.data
    else:
        symbol, channel, payload = "", _raw_channel(top), frame
    reader = readers.get(channel)
    if reader is None:
        return (IGNORED._replace(symbol=symbol),)
    try:
        if not payload:
            raise Quarantine("missing_field")
        record = reader.read(reader.decoder.decode(payload), channel)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
        raise Quarantine(*_rules(problem), stream=reader.stream, symbol=symbol) from None
    except Quarantine as bad:
        raise Quarantine(*bad.rules, stream=reader.stream, symbol=symbol) from None
    if symbol:
        if record.symbol and record.symbol != symbol:
            raise Quarantine("wrong_symbol", stream=reader.stream, symbol=symbol)
        if not record.symbol:
            record = record._replace(symbol=symbol)
    return (record,)


def _raw_channel(top: _Envelope) -> str:
    if top.e:
        return _EVENTS.get(top.e, top.e)
    if top.snapshot_id:
        return "book"
    if top.ask_size:
        return "bookTicker"
    if top.listed:
        return "listed"
    if top.listed_agg:
        return "listed_agg"
    if top.interest:
        return "openInterest"
    if top.result or top.id or top.code:
        return "answer"  # the answer to a subscription: nobody's data
    raise Quarantine("unknown_frame")


def _rules(problem: Exception) -> tuple[str, ...]:
    """Name what a failed decoding means; the decoder's sentence is the only place it says so."""
    text = str(problem)
    if isinstance(problem, RecursionError):
        return ("too_deep",)
    if not isinstance(problem, msgspec.ValidationError):
        return ("not_json",)
    if "missing required field" in text:
        return ("missing_field",)
    if "of length <=" in text:
        return ("too_many_levels",)
    if "Expected `int` >=" in text or "Expected `int` <=" in text or "out of range" in text:
        return ("number_out_of_range",)
    return ("wrong_type",)
