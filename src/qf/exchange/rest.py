"""The REST side: which endpoint, what it weighs, what it answers.

Nothing here waits or counts; `Exchange.get` asks the meter and lets the faults have their say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from qf.exchange.exchange_info import exchange_info
from qf.exchange.face import Face
from qf.exchange.klines import candles
from qf.exchange.listing import Listing
from qf.exchange.streams import INTERVALS_S
from qf.exchange.trade_tape import Aggregate, Trade

MOST_TRADES = 1_000
DEFAULT_TRADES = 500
DEFAULT_CANDLES = 500
MS = 1_000_000


class Refusal(Exception):
    """A request that is answered with the venue's own code and sentence."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status
        self.body = msgspec.json.encode({"code": code, "msg": text})


class Query(NamedTuple):
    """A request that was understood so far: the endpoint, its parameters, its weight."""

    endpoint: str
    params: Mapping[str, str]
    weight: int


class Rest:
    """Answer requests from the listings."""

    def __init__(self, face: Face, listings: Mapping[str, Listing]) -> None:
        self._face, self._listings = face, listings
        self._answers: dict[str, Callable[[Query, int], bytes]] = {
            "ping": lambda query, now_ns: b"{}",
            "time": lambda query, now_ns: b'{"serverTime":%d}' % (now_ns // MS),
            "exchangeInfo": self._exchange_info,
            "depth": self._depth,
            "trades": self._latest_trades,
            "historicalTrades": self._old_trades,
            "aggTrades": self._aggregates,
            "klines": self._klines,
        }
        if face.futures:
            self._answers["openInterest"] = self._open_interest

    def read(self, path: str, params: Mapping[str, str]) -> Query:
        """Return what a request asks for. Errors: Refusal 404."""
        face = self._face
        endpoint = path.removeprefix(face.prefix + "/")
        if not path.startswith(face.prefix + "/") or endpoint not in self._answers:
            raise Refusal(-1100, f"there is nothing at {path}", 404)
        if endpoint not in ("depth", "klines"):
            return Query(endpoint, params, face.weights[endpoint])
        table = face.depth_weights if endpoint == "depth" else face.kline_weights
        usual = face.depth_default if endpoint == "depth" else DEFAULT_CANDLES
        limit = _number(params, "limit", usual)
        weights = [weight for most, weight in table if limit <= most]
        return Query(endpoint, params, (weights or [table[-1][1]])[0])

    def answer(self, query: Query, now_ns: int, has_key: bool) -> bytes:
        """Return the body. Errors: Refusal."""
        if query.endpoint in self._face.key_needed and not has_key:
            raise Refusal(-2014, "API-key format invalid.", 401)
        return self._answers[query.endpoint](query, now_ns)

    def listing(self, params: Mapping[str, str]) -> Listing:
        """Return the listing that a request names. Errors: Refusal."""
        symbol = params.get("symbol")
        if not symbol:
            raise Refusal(-1102, "Mandatory parameter 'symbol' was not sent.")
        if symbol not in self._listings:
            raise Refusal(-1121, "Invalid symbol.")
        return self._listings[symbol]

    def depth_limit(self, params: Mapping[str, str]) -> int:
        """Return how many levels a side are asked for. Errors: Refusal."""
        face = self._face
        limit = _number(params, "limit", face.depth_default)
        if limit < 1 or (face.depth_limits and limit not in face.depth_limits):
            raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(limit, face.depth_weights[-1][0])

    def _depth(self, query: Query, now_ns: int) -> bytes:
        listing, limit = self.listing(query.params), self.depth_limit(query.params)
        time_ms = now_ns // MS + listing.clock_ms
        body = listing.frames.snapshot(listing.update_id, *listing.levels(limit), time_ms)
        return body.encode()

    def _open_interest(self, query: Query, now_ns: int) -> bytes:
        listing = self.listing(query.params)
        return listing.frames.open_interest(now_ns // MS + listing.clock_ms).encode()

    def _exchange_info(self, query: Query, now_ns: int) -> bytes:
        chosen = list(self._listings.values())
        if "symbol" in query.params:
            chosen = [self.listing(query.params)]
        return msgspec.json.encode(exchange_info(self._face, chosen, now_ns))

    def _latest_trades(self, query: Query, now_ns: int) -> bytes:
        listing = self.listing(query.params)
        return self._trades(listing, listing.tape.latest(_trade_limit(query.params)))

    def _old_trades(self, query: Query, now_ns: int) -> bytes:
        listing, limit = self.listing(query.params), _trade_limit(query.params)
        if "fromId" not in query.params:
            return self._trades(listing, listing.tape.latest(limit))
        from_id = _number(query.params, "fromId", 0)
        return self._trades(listing, listing.tape.trades(from_id, limit))

    def _aggregates(self, query: Query, now_ns: int) -> bytes:
        params = query.params
        listing, limit = self.listing(params), _trade_limit(params)
        if "fromId" in params:
            found = listing.tape.aggregates(_number(params, "fromId", 0), limit)
        elif "startTime" in params:
            first = listing.tape.first_since(_number(params, "startTime", 0))
            last_ms = _number(params, "endTime", now_ns // MS)
            found = [
                each for each in listing.tape.aggregates(first, limit) if each.time_ms <= last_ms
            ]
        else:
            found = listing.tape.latest_aggregates(limit)
        return msgspec.json.encode([self._aggregate(listing, each) for each in found])

    def _klines(self, query: Query, now_ns: int) -> bytes:
        params = query.params
        listing, most = self.listing(params), self._face.kline_weights[-1][0]
        seconds = INTERVALS_S.get(params.get("interval", ""), 0)
        if not seconds or (seconds == 1 and self._face.futures):
            raise Refusal(-1120, "Invalid interval.")
        limit = _number(params, "limit", DEFAULT_CANDLES)
        if limit < 1:
            raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
        last_ms = _number(params, "endTime", now_ns // MS)
        first_ms = _number(params, "startTime", -1)
        span = (None if first_ms < 0 else first_ms, min(last_ms, now_ns // MS))
        rows = candles(listing.tape, listing.frames, seconds * 1_000, span, min(limit, most))
        return msgspec.json.encode(rows)

    def _trades(self, listing: Listing, trades: list[Trade]) -> bytes:
        return msgspec.json.encode([self._trade(listing, trade) for trade in trades])

    def _trade(self, listing: Listing, trade: Trade) -> dict[str, object]:
        frames = listing.frames
        found: dict[str, object] = {
            "id": trade.id,
            "price": frames.price(trade.price),
            "qty": frames.size(trade.size),
            "baseQty" if self._face.inverse else "quoteQty": frames.value(
                [(trade.price, trade.size)]
            ),
            "time": trade.time_ms,
            "isBuyerMaker": trade.sign < 0,
        }
        if not self._face.futures:
            found["isBestMatch"] = True
        return found

    def _aggregate(self, listing: Listing, each: Aggregate) -> dict[str, object]:
        frames = listing.frames
        found: dict[str, object] = {
            "a": each.id,
            "p": frames.price(each.price),
            "q": frames.size(each.size),
            "f": each.first_id,
            "l": each.last_id,
            "T": each.time_ms,
            "m": each.sign < 0,
        }
        if not self._face.futures:
            found["M"] = True
        return found


def _trade_limit(params: Mapping[str, str]) -> int:
    limit = _number(params, "limit", DEFAULT_TRADES)
    if limit < 1:
        raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(limit, MOST_TRADES)


def _number(params: Mapping[str, str], name: str, usual: int) -> int:
    text = params.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise Refusal(-1100, f"Illegal characters found in parameter '{name}'.")
    return int(text)
