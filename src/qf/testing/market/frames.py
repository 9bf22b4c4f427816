"""Binance frames as text: the exact fields, order and decimals of the recorded captures."""

from __future__ import annotations

from collections.abc import Iterable

from qf.testing.market.flow import Print
from qf.testing.market.ladder import Best
from qf.testing.market.settings import MarketSettings

FUNDING_MS = 8 * 3_600_000


class Frames:
    """Write the frames of one symbol in the form of its venue. Times are in ms."""

    def __init__(self, settings: MarketSettings) -> None:
        face = settings.face
        self._futures = face.futures
        self._price_unit = 10**face.price_decimals
        self._size_unit = 10**face.size_decimals
        self._price_form = f"%d.%0{face.price_decimals}d" + "0" * (
            max(face.padding, face.price_decimals + face.futures) - face.price_decimals
        )
        self._size_form = f"%d.%0{face.size_decimals}d" + "0" * (
            max(face.padding, face.size_decimals) - face.size_decimals
        )
        self._level = f'["{self._price_form}","{self._size_form}"]'
        self._symbol = settings.symbol
        self._stream = f'{{"stream":"{settings.symbol.lower()}@'
        speed = "" if settings.step_ms == 1_000 else f"@{settings.step_ms}ms"
        self._depth = f'{self._stream}depth{speed}","data":{{"e":"depthUpdate","E":'
        kind = '"e":"bookTicker",' if face.futures else ""
        price, size = self._price_form, self._size_form
        self._ticker = (
            f'{self._stream}bookTicker","data":{{{kind}"u":%d,"s":"{settings.symbol}",'
            f'"b":"{price}","B":"{size}","a":"{price}","A":"{size}"'
        )
        self._mark = "markPrice@1s" if settings.intensity >= 5 else "markPrice"

    def trade(self, trade_id: int, execution: Print, time_ms: int, kind: str) -> bytes:
        """Return a trade; `kind` is the futures' X."""
        maker = "false" if execution.sign > 0 else "true"
        symbol = self._symbol
        shown_price = self._price_form % divmod(execution.price, self._price_unit)
        shown_size = self._size_form % divmod(execution.size, self._size_unit)
        if self._futures:
            text = (
                f'{self._stream}trade","data":{{"e":"trade","E":{time_ms + 3},"T":{time_ms},'
                f'"s":"{symbol}","t":{trade_id},"p":"{shown_price}","q":"{shown_size}",'
                f'"X":"{kind}","m":{maker}}}}}'
            )
        else:
            text = (
                f'{self._stream}trade","data":{{"e":"trade","E":{time_ms + 1},"s":"{symbol}",'
                f'"t":{trade_id},"p":"{shown_price}","q":"{shown_size}","T":{time_ms},'
                f'"m":{maker},"M":true}}}}'
            )
        return text.encode()

    def ticker(self, update_id: int, best: Best, time_ms: int) -> bytes:
        """Return a bookTicker."""
        price_unit, size_unit = self._price_unit, self._size_unit
        text = self._ticker % (
            update_id,
            *(best.bid // price_unit, best.bid % price_unit),
            *(best.bid_size // size_unit, best.bid_size % size_unit),
            *(best.ask // price_unit, best.ask % price_unit),
            *(best.ask_size // size_unit, best.ask_size % size_unit),
        )
        if self._futures:
            return f'{text},"T":{time_ms},"E":{time_ms + 3}}}}}'.encode()
        return (text + "}}").encode()

    def depth(
        self,
        ids: tuple[int, int, int],
        bids: Iterable[tuple[int, int]],
        asks: Iterable[tuple[int, int]],
        time_ms: int,
    ) -> bytes:
        """Return a depth difference; `ids` are U, u and (futures) pu."""
        first, last, previous = ids
        levels = f'"b":[{self._levels(bids)}],"a":[{self._levels(asks)}]}}}}'
        symbol = self._symbol
        if self._futures:
            return (
                f'{self._depth}{time_ms + 6},"T":{time_ms},"s":"{symbol}",'
                f'"U":{first},"u":{last},"pu":{previous},{levels}'
            ).encode()
        return f'{self._depth}{time_ms},"s":"{symbol}","U":{first},"u":{last},{levels}'.encode()

    def snapshot(
        self,
        update_id: int,
        bids: Iterable[tuple[int, int]],
        asks: Iterable[tuple[int, int]],
        time_ms: int,
    ) -> bytes:
        """Return the body of a REST depth snapshot, best prices first."""
        times = f'"E":{time_ms + 5},"T":{time_ms},' if self._futures else ""
        return (
            f'{{"lastUpdateId":{update_id},{times}"bids":[{self._levels(bids)}],'
            f'"asks":[{self._levels(asks)}]}}'
        ).encode()

    def mark_price(self, mid: float, time_ms: int) -> bytes:
        """Return a markPriceUpdate whose T is the next funding time; `mid` is in ticks."""
        value = mid / self._price_unit
        funding = (time_ms // FUNDING_MS + 1) * FUNDING_MS
        return (
            f'{self._stream}{self._mark}","data":{{"e":"markPriceUpdate","E":{time_ms},'
            f'"s":"{self._symbol}","p":"{value:.8f}","P":"{value:.8f}",'
            f'"i":"{value * 1.0002:.8f}","r":"0.00010000","T":{funding}}}}}'
        ).encode()

    def _levels(self, levels: Iterable[tuple[int, int]]) -> str:
        form, price_unit, size_unit = self._level, self._price_unit, self._size_unit
        return ",".join(
            [
                form
                % (price // price_unit, price % price_unit, size // size_unit, size % size_unit)
                for price, size in levels
            ]
        )
