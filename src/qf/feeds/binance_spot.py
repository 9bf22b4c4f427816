"""Binance spot: channels and the pure mapper from frames to records.

Spot depth has only E; spot bookTicker has no time at all, so its venue time is left missing
(decisions 8) and the engine estimates it.
"""

from __future__ import annotations

from collections.abc import Sequence

from qf.feeds import binance, binance_live
from qf.feeds.record import Record

VENUE = "binance_spot"
ASSET_TYPE = "spot"
CONTINUITY = "spot"
CHANNELS = ("trade", "depth@100ms", "bookTicker")
LIVE = binance_live.SPOT


def channels(symbols: Sequence[str]) -> tuple[str, ...]:
    """Return the stream names that the product uses, per symbol."""
    return tuple(f"{symbol.lower()}@{channel}" for symbol in symbols for channel in CHANNELS)


def parse(frame: bytes, processed_time: int) -> tuple[Record, ...]:
    """Return the records of one frame; raise only Quarantine, whatever the bytes are."""
    return binance.parse(frame, binance.SPOT)
