"""Binance messages as text: the exact fields, order and decimals of the recorded captures.

Every method returns the payload; `Streams` puts it into the frame of a combined stream.
"""

from __future__ import annotations

from collections.abc import Iterable

from qf.testing.market.flow import Print
from qf.testing.market.ladder import Best
from qf.testing.market.positions import FUNDING_MS, Forced, funding_rate, open_interest, premium
from qf.testing.market.settings import MarketSettings


class Frames:
    """Write the messages of one symbol in the form of its venue. Times are in ms."""

    def __init__(self, settings: MarketSettings) -> None:
        face = settings.face
        self._futures = face.futures
        self._price_unit = 10**face.price_decimals
        self._size_unit = 10**face.size_decimals
        extra = face.futures and not face.inverse
        self._price_form = f"%d.%0{face.price_decimals}d" + "0" * (
            max(face.padding, face.price_decimals + extra) - face.price_decimals
        )
        self._size_form = f"%d.%0{face.size_decimals}d" + "0" * (
            max(face.padding, face.size_decimals) - face.size_decimals
        )
        if not face.size_decimals:
            self._size_form = "%d%.0s"  # whole contracts: the fraction is not printed
        self._contract_usd = settings.contract_usd if face.inverse else 0
        pair = settings.symbol.partition("_")[0]
        self._pair = f',"ps":"{pair}"' if face.inverse else ""
        self._whose = f'"symbol":"{settings.symbol}","pair":"{pair}",' if face.inverse else ""
        self._level = f'["{self._price_form}","{self._size_form}"]'
        self._symbol = settings.symbol
        kind = '"e":"bookTicker",' if face.futures else ""
        price, size = self._price_form, self._size_form
        self._ticker = (
            f'{{{kind}"u":%d,"s":"{settings.symbol}"{self._pair},'
            f'"b":"{price}","B":"{size}","a":"{price}","A":"{size}"'
        )

    def price(self, ticks: int) -> str:
        """Return a price as the venue prints it."""
        return self._price_form % divmod(ticks, self._price_unit)

    def size(self, lots: int) -> str:
        """Return a size as the venue prints it."""
        return self._size_form % divmod(lots, self._size_unit)

    def trade(self, trade_id: int, execution: Print, time_ms: int, kind: str) -> str:
        """Return a trade; `kind` is the futures' X."""
        maker = "false" if execution.sign > 0 else "true"
        symbol = self._symbol
        price = self._price_form % divmod(execution.price, self._price_unit)
        size = self._size_form % divmod(execution.size, self._size_unit)
        if self._futures:
            return (
                f'{{"e":"trade","E":{time_ms + 3},"T":{time_ms},"s":"{symbol}","t":{trade_id},'
                f'"p":"{price}","q":"{size}","X":"{kind}","m":{maker}}}'
            )
        return (
            f'{{"e":"trade","E":{time_ms + 1},"s":"{symbol}","t":{trade_id},'
            f'"p":"{price}","q":"{size}","T":{time_ms},"m":{maker},"M":true}}'
        )

    def aggregate(self, ids: tuple[int, int, int], whole: Print, time_ms: int) -> str:
        """Return an aggTrade; `ids` are its own, and those of its first and last trade."""
        maker = "false" if whole.sign > 0 else "true"
        own, first, last = ids
        head = f'{{"e":"aggTrade","E":{time_ms + 3},'
        tail = (
            f'"p":"{self.price(whole.price)}","q":"{self.size(whole.size)}","f":{first},'
            f'"l":{last},"T":{time_ms},"m":{maker}'
        )
        if self._futures:
            return f'{head}"a":{own},"s":"{self._symbol}",{tail}}}'
        return f'{head}"s":"{self._symbol}","a":{own},{tail},"M":true}}'

    def value(self, prints: Iterable[tuple[int, int]]) -> str:
        """Return what (ticks, lots) are worth in the quote currency; contracts: in the base."""
        if self._contract_usd:
            worth = sum(size / price for price, size in prints)
            return f"{worth * self._contract_usd * self._price_unit:.8f}"
        units = sum(price * size for price, size in prints)
        scale = self._price_unit * self._size_unit
        return f"{units // scale}.{units % scale * 10**8 // scale:08d}"

    def ticker(self, update_id: int, best: Best, time_ms: int) -> str:
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
            return f'{text},"T":{time_ms},"E":{time_ms + 3}}}'
        return text + "}"

    def depth(
        self,
        ids: tuple[int, int, int],
        bids: Iterable[tuple[int, int]],
        asks: Iterable[tuple[int, int]],
        time_ms: int,
    ) -> str:
        """Return a depth difference; `ids` are U, u and (futures) pu."""
        first, last, previous = ids
        levels = f'"b":[{self.levels(bids)}],"a":[{self.levels(asks)}]}}'
        symbol = self._symbol
        if self._futures:
            return (
                f'{{"e":"depthUpdate","E":{time_ms + 6},"T":{time_ms},"s":"{symbol}"{self._pair},'
                f'"U":{first},"u":{last},"pu":{previous},{levels}'
            )
        return f'{{"e":"depthUpdate","E":{time_ms},"s":"{symbol}","U":{first},"u":{last},{levels}'

    def snapshot(
        self,
        update_id: int,
        bids: Iterable[tuple[int, int]],
        asks: Iterable[tuple[int, int]],
        time_ms: int,
    ) -> str:
        """Return the body of a REST depth snapshot, best prices first."""
        times = f'"E":{time_ms + 5},"T":{time_ms},' if self._futures else ""
        return (
            f'{{"lastUpdateId":{update_id},{times}{self._whose}"bids":[{self.levels(bids)}],'
            f'"asks":[{self.levels(asks)}]}}'
        )

    def mark_price(self, mid: float, time_ms: int) -> str:
        """Return a markPriceUpdate whose T is the next funding time; `mid` is in ticks."""
        value = mid / self._price_unit
        funding = (time_ms // FUNDING_MS + 1) * FUNDING_MS
        return (
            f'{{"e":"markPriceUpdate","E":{time_ms},'
            f'"s":"{self._symbol}","p":"{value:.8f}","P":"{value:.8f}",'
            f'"i":"{value / (1 + premium(time_ms)):.8f}","r":"{funding_rate(time_ms):.8f}",'
            f'"T":{funding}}}'
        )

    def forced_order(self, order: Forced, time_ms: int) -> str:
        """Return a forceOrder, filled at its limit."""
        price, size = self.price(order.price), self.size(order.size)
        side = "BUY" if order.sign > 0 else "SELL"
        return (
            f'{{"e":"forceOrder","E":{time_ms},"o":{{"s":"{self._symbol}","S":"{side}",'
            f'"o":"LIMIT","f":"IOC","q":"{size}","p":"{price}","ap":"{price}","X":"FILLED",'
            f'"l":"{size}","z":"{size}","T":{time_ms}}}}}'
        )

    def open_interest(self, time_ms: int) -> str:
        """Return the body of a REST answer about the open interest."""
        size = self.size(round(open_interest(time_ms) * self._size_unit))
        whose = self._whose or f'"symbol":"{self._symbol}",'
        return f'{{{whose}"openInterest":"{size}","time":{time_ms}}}'

    def levels(self, levels: Iterable[tuple[int, int]]) -> str:
        """Return (price in ticks, size in lots) pairs as the venue lists them."""
        form, price_unit, size_unit = self._level, self._price_unit, self._size_unit
        return ",".join(
            [
                form
                % (price // price_unit, price % price_unit, size // size_unit, size % size_unit)
                for price, size in levels
            ]
        )


class Streams:
    """The names of a recorder's combined streams, at the speed of its market."""

    def __init__(self, settings: MarketSettings) -> None:
        self._symbol = settings.symbol.lower()
        self.depth = "depth" if settings.step_ms == 1_000 else f"depth@{settings.step_ms}ms"
        self.mark = "markPrice@1s" if settings.intensity >= 5 else "markPrice"

    def frame(self, channel: str, payload: str) -> bytes:
        """Return the payload in its combined frame."""
        return f'{{"stream":"{self._symbol}@{channel}","data":{payload}}}'.encode()
