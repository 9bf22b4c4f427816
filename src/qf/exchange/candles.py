"""Candles of a listing, as the kline streams send them."""

from __future__ import annotations

from qf.exchange.audience import Audience
from qf.exchange.trade_tape import Trade
from qf.testing.market.frames import Frames

NAMES = {
    1: "1s",
    60: "1m",
    180: "3m",
    300: "5m",
    900: "15m",
    1_800: "30m",
    3_600: "1h",
    14_400: "4h",
    86_400: "1d",
}


class Candles:
    """The current candle of one length; it begins empty with the next trade."""

    def __init__(self, audience: Audience, frames: Frames, symbol: str) -> None:
        self.audience, self._frames, self._symbol = audience, frames, symbol
        self._length_ms = audience.stream.detail * 1_000
        self._trades: list[Trade] = []
        self._open_ms = 0
        self._said = 0  # trades that the last message told of

    @property
    def changed(self) -> bool:
        """Say whether the candle changed since it was last sent."""
        return len(self._trades) > self._said

    def add(self, trade: Trade, now_ns: int) -> None:
        """Put a trade into its candle; a candle that ends with it is sent closed."""
        start = trade.time_ms // self._length_ms * self._length_ms
        if start != self._open_ms and self._trades:
            self._send(now_ns, closed=True)
            self._trades.clear()
        self._open_ms, self._said = start, self._said if self._trades else 0
        self._trades.append(trade)

    def tell(self, now_ns: int) -> None:
        """Send the candle as it stands, if it changed since it was last sent."""
        if self.changed:
            self._said = len(self._trades)
            self._send(now_ns, closed=False)

    def _send(self, now_ns: int, closed: bool) -> None:
        trades, frames = self._trades, self._frames
        prices = [trade.price for trade in trades]
        bought = [trade for trade in trades if trade.sign > 0]
        first, last = trades[0], trades[-1]
        payload = (
            f'{{"e":"kline","E":{now_ns // 1_000_000},"s":"{self._symbol}","k":{{'
            f'"t":{self._open_ms},"T":{self._open_ms + self._length_ms - 1},'
            f'"s":"{self._symbol}","i":"{NAMES[self.audience.stream.detail]}",'
            f'"f":{first.id},"L":{last.id},"o":"{frames.price(first.price)}",'
            f'"c":"{frames.price(last.price)}","h":"{frames.price(max(prices))}",'
            f'"l":"{frames.price(min(prices))}",'
            f'"v":"{frames.size(sum(trade.size for trade in trades))}","n":{len(trades)},'
            f'"x":{"true" if closed else "false"},"q":"{self._value(trades)}",'
            f'"V":"{frames.size(sum(trade.size for trade in bought))}",'
            f'"Q":"{self._value(bought)}","B":"0"}}}}'
        )
        self.audience.send(now_ns, payload, first.id, last.id)

    def _value(self, trades: list[Trade]) -> str:
        return self._frames.value((trade.price, trade.size) for trade in trades)
