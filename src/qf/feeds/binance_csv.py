"""Binance websocket frames flattened to CSV: one row per level or trade, times in microseconds."""

from __future__ import annotations

from qf.feeds.file_format import FileTable

FORMAT = "binance_csv"

_TIMES = {"processed_time": "TimestampOfReceive", "symbol": "Symbol"}
TABLES = (
    FileTable(
        "depth",
        "us",
        {
            **_TIMES,
            "event_time": "EventTime",
            "first_id": "FirstUpdateId",
            "last_id": "FinalUpdateId",
            "side": "IsAsk",
            "price": "Price",
            "size": "Quantity",
        },
        "*depth*.csv*",
        {"side": {"0": 1, "1": -1}},
    ),
    FileTable(
        "trade",
        "us",
        {
            **_TIMES,
            "event_time": "TransactionTime",
            "trade_id": "TradeId",
            "price": "Price",
            "size": "Quantity",
            "is_buyer_maker": "IsBuyerMarketMaker",
        },
        "*trade*.csv*",
    ),
)
