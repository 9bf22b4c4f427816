"""A seeded market: venue frames with their truth, and small tables for the laws of the ops.

market = Market(MarketSettings(seed=7, venue="binance_spot", intensity=30.0))
for receive_ns, frame in market.frames(1_800):
    ...
market.book(update_id), market.aggressor(trade_id), market.faults
"""

from __future__ import annotations

from qf.testing.market.columns import KINDS as COLUMN_KINDS
from qf.testing.market.columns import columns
from qf.testing.market.ladder import Book
from qf.testing.market.provider import SimulatedFeed, simulated_feed
from qf.testing.market.settings import NO_FAULTS, FaultRates, MarketSettings
from qf.testing.market.simulate import Market
from qf.testing.market.wire import Fault

__all__ = [
    "COLUMN_KINDS",
    "NO_FAULTS",
    "Book",
    "Fault",
    "FaultRates",
    "Market",
    "MarketSettings",
    "SimulatedFeed",
    "columns",
    "simulated_feed",
]
