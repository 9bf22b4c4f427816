"""Records that lie on no grid as rows of the tables beside the tape, as the venue published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from qf.feeds.record import Record
from qf.tape.tables import SIDE_TABLES


def side_row(seq: int, time: int, record: Record) -> tuple[str, tuple[Any, ...]]:
    """Return the table of a mark, a liquidation or an open interest, and its row in its order."""
    if record.stream == "mark":
        *texts, next_time = record.values
        numbers = [float(text) if text else None for text in texts]
        return "funding", (seq, record.event_time, time, *numbers, next_time or None)
    if record.stream == "open_interest":
        return "open_interest", (seq, record.event_time, time, float(record.values[0]))
    price, size, average, status = record.values
    numbers = [float(text) for text in (price, size, average)]
    return "liquidations", (seq, record.event_time, time, record.direction, *numbers, status)


def side_columns(name: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, pa.Array]:
    """Return rows of a side table as columns."""
    values = zip(*rows, strict=True)
    return {
        field.name: pa.array(list(column), field.type)
        for column, field in zip(values, SIDE_TABLES[name], strict=True)
    }
