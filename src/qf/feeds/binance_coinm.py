"""Binance COIN-M futures: channels and the pure mapper from frames to records.

Sizes are contracts of a fixed value in USD (100 for BTCUSD, 10 for the others), so value is
contracts x contract size and does not depend on the price.
"""

from __future__ import annotations

from collections.abc import Sequence

from qf.feeds import binance, binance_live
from qf.feeds.record import Record

VENUE = "binance_coinm"
ASSET_TYPE = "inverse"
CONTINUITY = "futures"
CHANNELS = ("trade", "depth@0ms", "bookTicker", "markPrice@1s", "forceOrder")
LIVE = binance_live.futures("wss://dstream.binance.com", "https://dapi.binance.com", "/dapi/v1")


def channels(symbols: Sequence[str]) -> tuple[str, ...]:
    """Return the stream names that the product uses, per symbol."""
    return tuple(f"{symbol.lower()}@{channel}" for symbol in symbols for channel in CHANNELS)


def parse(frame: bytes, processed_time: int) -> tuple[Record, ...]:
    """Return the records of one frame; raise only Quarantine, whatever the bytes are."""
    return binance.parse(frame, binance.FUTURES)
