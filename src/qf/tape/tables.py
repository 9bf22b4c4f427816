"""The tape as the published tables: trades, book differences, quotes, funding, liquidations.

Prices and sizes are floats here: units * num / den, rounded once. Missing is null.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pyarrow as pa

from qf.schema import BBO, DEPTH, NULL_INT, SNAPSHOT, TRADE
from qf.tape.instruments import Instrument

TIME = pa.timestamp("ns")
_KEY = [("venue", pa.string()), ("symbol", pa.string()), ("seq", pa.int64())]
_TIMES = [("event_time", TIME), ("processed_time", TIME)]

FINDINGS = pa.schema([("seq", pa.int64()), ("stream", pa.string()), ("rule", pa.string())])
QUARANTINE = pa.schema(
    [
        ("seq", pa.int64()),
        ("processed_time", TIME),
        ("stream", pa.string()),
        ("rule", pa.string()),
        ("frame_bytes", pa.int64()),
        ("frame", pa.binary()),
    ]
)
# What lies on no grid is stored as published too, beside the tape.
SIDE_TABLES = {
    "funding": pa.schema(
        [
            ("seq", pa.int64()),
            *_TIMES,
            ("mark_price", pa.float64()),
            ("index_price", pa.float64()),
            ("settle_price", pa.float64()),
            ("funding_rate", pa.float64()),
            ("next_funding_time", TIME),
        ]
    ),
    "liquidations": pa.schema(
        [
            ("seq", pa.int64()),
            *_TIMES,
            ("direction", pa.int64()),
            ("price", pa.float64()),
            ("size", pa.float64()),
            ("average_price", pa.float64()),
            ("status", pa.string()),
        ]
    ),
    "open_interest": pa.schema([("seq", pa.int64()), *_TIMES, ("open_interest", pa.float64())]),
}

Block = dict[str, np.ndarray]
Made = Callable[[Block, Instrument], pa.RecordBatch]


def _quick_if_none(*kinds: int) -> Callable[[Made], Made]:
    """Let a table be made once where a block has no such rows: live, most blocks are one frame."""

    def mark(make: Made) -> Made:
        none: list[pa.RecordBatch] = []

        @wraps(make)
        def quick(block: Block, instrument: Instrument) -> pa.RecordBatch:
            if any((block["kind"] == kind).any() for kind in kinds):
                return make(block, instrument)
            if not none:
                none.append(make(block, instrument).slice(0, 0))
            return none[0]

        return quick

    return mark


def scaled(units: np.ndarray, scale: tuple[int, int]) -> np.ndarray:
    """Return units * num / den as float64, rounded once where units * num < 2**53."""
    num, den = scale
    return units * num / den if num != 1 else units / den


def _ints(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.int64(), mask=values == NULL_INT)


def _times(values: np.ndarray) -> pa.Array:
    return _ints(values).cast(TIME)


def _batch(rows: int, instrument: Instrument, columns: dict[str, Any]) -> pa.RecordBatch:
    names = {
        "venue": pa.array([instrument.venue] * rows, pa.string()),
        "symbol": pa.array([instrument.symbol] * rows, pa.string()),
    }
    return pa.RecordBatch.from_pydict({**names, **columns})


def _pick(block: Block, rows: np.ndarray, scales: Instrument) -> dict[str, Any]:
    return {
        "seq": pa.array(block["seq"][rows]),
        "event_time": _times(block["event_time"][rows]),
        "processed_time": _times(block["processed_time"][rows]),
    }


@_quick_if_none(TRADE)
def trades(block: Block, instrument: Instrument) -> pa.RecordBatch:
    """Return cdm_trades: is_buyer_maker is true where the aggressor sold, null if unknown."""
    rows = np.flatnonzero(block["kind"] == TRADE)
    side = block["side"][rows]
    return _batch(
        len(rows),
        instrument,
        {
            **_pick(block, rows, instrument),
            "trade_id": _ints(block["first_id"][rows]),
            "price": pa.array(scaled(block["price"][rows], instrument.price_scale)),
            "size": pa.array(scaled(block["size"][rows], instrument.size_scale)),
            "is_buyer_maker": pa.array(side < 0, mask=side == 0),
            "flags": pa.array(block["flags"][rows]),
        },
    )


@_quick_if_none(DEPTH, SNAPSHOT)
def lob_incremental(block: Block, instrument: Instrument) -> pa.RecordBatch:
    """Return cdm_lob_incremental: one row per level, side "bid" or "ask", size 0 removes."""
    book = (block["kind"] == DEPTH) | (block["kind"] == SNAPSHOT)
    rows = np.flatnonzero(book & (block["side"] != 0))
    side = np.where(block["side"][rows] > 0, "bid", "ask")
    return _batch(
        len(rows),
        instrument,
        {
            **_pick(block, rows, instrument),
            "first_id": _ints(block["first_id"][rows]),
            "last_id": _ints(block["last_id"][rows]),
            "prev_id": _ints(block["prev_id"][rows]),
            "is_snapshot": pa.array(block["kind"][rows] == SNAPSHOT),
            "side": pa.array(side, pa.string()),
            "price": pa.array(scaled(block["price"][rows], instrument.price_scale)),
            "size": pa.array(scaled(block["size"][rows], instrument.size_scale)),
            "flags": pa.array(block["flags"][rows]),
        },
    )


@_quick_if_none(BBO)
def bbo(block: Block, instrument: Instrument) -> pa.RecordBatch:
    """Return cdm_bbo: one row per quote; the block must hold whole frames."""
    bid = np.flatnonzero((block["kind"] == BBO) & (block["side"] > 0))
    ask = bid + 1
    price, size = instrument.price_scale, instrument.size_scale
    return _batch(
        len(bid),
        instrument,
        {
            **_pick(block, bid, instrument),
            "update_id": _ints(block["first_id"][bid]),
            "bid_price": pa.array(scaled(block["price"][bid], price)),
            "bid_size": pa.array(scaled(block["size"][bid], size)),
            "ask_price": pa.array(scaled(block["price"][ask], price)),
            "ask_size": pa.array(scaled(block["size"][ask], size)),
            "flags": pa.array(block["flags"][bid]),
        },
    )


TABLES: dict[str, Made] = {
    "trades": trades,
    "lob_incremental": lob_incremental,
    "bbo": bbo,
}
