"""Binance books of 1,000 levels about every 117 ms, and trades, as Parquet tables.

The sides are the aggressor's. `seq` is the book's last update id; it cannot be chained to
anything, so every book stands for itself.
"""

from __future__ import annotations

from qf.feeds.file_format import FileTable

FORMAT = "binance_snapshots"

_TIMES = {"processed_time": "ts_ms", "event_time": "exch_ts_ms", "symbol": "symbol"}
TABLES = (
    FileTable(
        "snapshot",
        "ms",
        {
            **_TIMES,
            "last_id": "seq",
            "bid_prices": "bids_px",
            "bid_sizes": "bids_qty",
            "ask_prices": "asks_px",
            "ask_sizes": "asks_qty",
        },
        "lob*.parquet",
    ),
    FileTable(
        "trade",
        "ms",
        {**_TIMES, "trade_id": "trade_id", "price": "price", "size": "qty", "direction": "side"},
        "trades*.parquet",
        {"direction": {"buy": 1, "sell": -1}},
    ),
)
