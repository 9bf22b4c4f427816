"""Rows as lines of JSON: {"table": …, then the table's columns}; missing is null, times are ISO."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import Any

import msgspec
import numpy as np

from qf.clock import format_time
from qf.schema import NULL_INT, Field
from qf.schema_tables import Table
from qf.store.arrow import batch_of, column_of, count_rows, is_arrow

_encoder = msgspec.json.Encoder()


def lines_of(table: Table, columns: Mapping[str, Any], constants: Mapping[str, str]) -> bytes:
    """Return one line per row."""
    rows = count_rows(table, columns)
    if any(len(each) != rows or is_arrow(each) for each in columns.values()):
        return lines_of_batch(table, batch_of(table, columns, constants, rows))
    return _lines(table, [_values(table, each, columns, constants, rows) for each in table.fields])


def lines_of_batch(table: Table, batch: Any) -> bytes:
    """Return one line per row of an Arrow batch of a table's own columns."""
    values = []
    for field, column in zip(table.fields, batch.columns, strict=True):
        if field.type == "TIMESTAMP_NS":
            times = column.cast("int64").to_pylist()
            values.append([None if time is None else format_time(time) for time in times])
        else:
            values.append(column.to_pylist())
    return _lines(table, values)


def _values(
    table: Table, field: Field, columns: Mapping[str, Any], constants: Mapping[str, str], rows: int
) -> Sequence[Any]:
    """Return one column as JSON values, as the Arrow column of it would give them."""
    name, kind = field.name, field.type
    if name in constants:
        return [constants[name]] * rows
    if kind == "DOUBLE[]" and f"{name}_0" in columns and name not in columns:
        family = []
        while (values := columns.get(f"{name}_{len(family)}")) is not None:
            family.append(_floats(values))
        return list(zip(*family, strict=True))
    values = columns.get(name)
    if values is None or kind not in _READ:
        column = column_of(table, field, columns, constants, rows)
        return column.to_pylist()
    return _READ[kind](values)


def _floats(values: Any) -> list[float | None]:
    return [None if isnan(x) else x for x in np.asarray(values, np.float64).tolist()]


def _words(values: Any) -> list[int | None]:
    return [None if x == NULL_INT else x for x in np.asarray(values, np.int64).tolist()]


_READ: dict[str, Callable[[Any], list[Any]]] = {
    "DOUBLE": _floats,
    "BIGINT": _words,
    "BOOLEAN": lambda values: [None if x is None else x != 0 for x in _words(values)],
    "TIMESTAMP_NS": lambda values: [None if x is None else format_time(x) for x in _words(values)],
}


def _lines(table: Table, values: Sequence[Sequence[Any]]) -> bytes:
    names, encode, head = table.names, _encoder.encode, {"table": table.name}
    return b"".join(
        encode(head | dict(zip(names, row, strict=True))) + b"\n"
        for row in zip(*values, strict=True)
    )
