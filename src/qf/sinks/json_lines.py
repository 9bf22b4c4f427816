"""Rows as lines of JSON: {"table": …, then the table's columns}; missing is null, times are ISO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from qf.clock import format_time
from qf.schema_tables import Table
from qf.store.arrow import batch_of, count_rows

_encoder = msgspec.json.Encoder()


def lines_of(table: Table, columns: Mapping[str, Any], constants: Mapping[str, str]) -> bytes:
    """Return one line per row."""
    rows = count_rows(table, columns)
    return lines_of_batch(table, batch_of(table, columns, constants, rows))


def lines_of_batch(table: Table, batch: Any) -> bytes:
    """Return one line per row of an Arrow batch of a table's own columns."""
    values = []
    for field, column in zip(table.fields, batch.columns, strict=True):
        if field.type == "TIMESTAMP_NS":
            times = column.cast("int64").to_pylist()
            values.append([None if time is None else format_time(time) for time in times])
        else:
            values.append(column.to_pylist())
    names = table.names
    return b"".join(
        _encoder.encode({"table": table.name, **dict(zip(names, row, strict=True))}) + b"\n"
        for row in zip(*values, strict=True)
    )
