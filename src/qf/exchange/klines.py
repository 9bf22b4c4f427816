"""Candles over REST: made from the trade tape, empty ones too, as the venue lists them."""

from __future__ import annotations

from typing import Any

from qf.exchange.trade_tape import Trade, TradeTape
from qf.testing.market.frames import Frames

Row = list[Any]


def candles(
    tape: TradeTape,
    frames: Frames,
    length_ms: int,
    span_ms: tuple[int | None, int],
    limit: int,
) -> list[Row]:
    """Return the candles that begin within a span of ms: the first of it, or without one the last.

    A candle without trades stands at the close before it; before the first trade there is none.
    """
    first_ms, last_ms = span_ms
    trades = tape.until(last_ms)
    if not trades:
        return []
    opened = trades[0].time_ms // length_ms * length_ms
    newest = last_ms // length_ms * length_ms
    start = newest - (limit - 1) * length_ms
    if first_ms is not None:
        start = -(-first_ms // length_ms) * length_ms
    start = max(start, opened)
    inside: dict[int, list[Trade]] = {}
    close = trades[0].price
    for trade in trades:
        at = trade.time_ms // length_ms * length_ms
        if at < start:
            close = trade.price
        inside.setdefault(at, []).append(trade)
    rows = []
    for at in range(start, min(newest, start + (limit - 1) * length_ms) + 1, length_ms):
        own = inside.get(at, [])
        rows.append(_row(frames, at, length_ms, own, close))
        close = own[-1].price if own else close
    return rows


def _row(frames: Frames, at: int, length_ms: int, trades: list[Trade], close: int) -> Row:
    prices = [trade.price for trade in trades] or [close]
    bought = [trade for trade in trades if trade.sign > 0]
    return [
        at,
        frames.price(prices[0]),
        frames.price(max(prices)),
        frames.price(min(prices)),
        frames.price(prices[-1]),
        frames.size(sum(trade.size for trade in trades)),
        at + length_ms - 1,
        frames.value((trade.price, trade.size) for trade in trades),
        len(trades),
        frames.size(sum(trade.size for trade in bought)),
        frames.value((trade.price, trade.size) for trade in bought),
        "0",
    ]
