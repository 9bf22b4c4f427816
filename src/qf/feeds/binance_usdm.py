"""Binance USD-M futures: channels and the pure mapper from frames to records.

Depth and bookTicker carry the matching time T. A print whose X is neither MARKET nor LIMIT (an
insurance fund or liquidation print) was not made in the book and is flagged non_market.
"""

from __future__ import annotations

from collections.abc import Sequence

from qf.feeds import binance, binance_live
from qf.feeds.record import Record

VENUE = "binance_usdm"
ASSET_TYPE = "linear"
CONTINUITY = "futures"
CHANNELS = ("trade", "depth@0ms", "bookTicker", "markPrice@1s", "forceOrder")
LIVE = binance_live.futures("wss://fstream.binance.com", "https://fapi.binance.com", "/fapi/v1")


def channels(symbols: Sequence[str]) -> tuple[str, ...]:
    """Return the stream names that the product uses, per symbol."""
    return tuple(f"{symbol.lower()}@{channel}" for symbol in symbols for channel in CHANNELS)


def parse(frame: bytes, processed_time: int) -> tuple[Record, ...]:
    """Return the records of one frame; raise only Quarantine, whatever the bytes are."""
    return binance.parse(frame, binance.FUTURES)
