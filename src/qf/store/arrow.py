"""Arrays as a program makes them to Arrow as the tables want them, without copying where possible.

Missing is NaN and NULL_INT in arrays and null in tables; this file is the one place between.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from qf.errors import RunError, diagnostic
from qf.schema import NULL_INT, Field
from qf.schema_tables import Table

MISSING_COLUMN = diagnostic(
    "QF620", "table {table} needs the column {column!r}, which was not given", RunError
)
BAD_LENGTH = diagnostic(
    "QF621", "table {table}: column {column!r} has {rows} rows, the others {expected}", RunError
)

ARROW_TYPES = {
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR": pa.string(),
    "TIMESTAMP_NS": pa.timestamp("ns"),
    "DOUBLE[]": pa.list_(pa.float64()),
}

_CACHED_ROWS = 8_192  # of a list column, so that its lines are filled while they are in the cache

Columns = Mapping[str, Any]  # arrays of NumPy or Arrow; lists where the column is text


def batch_of(
    table: Table, columns: Columns, constants: Mapping[str, str], rows: int
) -> pa.RecordBatch:
    """Return `rows` rows of a table; constants fill the columns they name.

    Errors: QF620 a column is absent, QF621 it has another length.
    """
    arrays = [column_of(table, field, columns, constants, rows) for field in table.fields]
    return pa.RecordBatch.from_arrays(arrays, list(table.names))


def schema_of(table: Table) -> pa.Schema:
    """Return a table's columns with their Arrow types."""
    return pa.schema([(field.name, ARROW_TYPES[field.type]) for field in table.fields])


def count_rows(table: Table, columns: Columns) -> int:
    """Return how many rows the columns hold, by the first of the table's columns among them."""
    for field in table.fields:
        for name in (field.name, f"{field.name}_0"):
            if name in columns:
                return len(columns[name])
    raise MISSING_COLUMN(table=table.name, column=table.names[-1])


def take(table: Table, columns: Columns, keep: np.ndarray) -> Columns:
    """Return the rows where `keep` is true, of the columns that belong to the table."""
    lists = tuple(field.name for field in table.fields if field.type.endswith("[]"))
    names = set(table.names)
    return {
        name: values.filter(keep) if isinstance(values, pa.Array) else np.asarray(values)[keep]
        for name, values in columns.items()
        if name in names or name.rpartition("_")[0] in lists
    }


def is_arrow(values: Any) -> bool:
    """Say whether a column is Arrow's already."""
    return isinstance(values, pa.Array)


def int_words(values: Any) -> np.ndarray:
    """Return integers or times as int64, NULL_INT where missing."""
    if isinstance(values, pa.Array):
        return values.cast(pa.int64()).fill_null(NULL_INT).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.int64)


def column_of(
    table: Table, field: Field, columns: Columns, constants: Mapping[str, str], rows: int
) -> pa.Array:
    """Return one column of a table. Errors: QF620, QF621."""
    if field.name in constants:
        return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), _one(constants[field.name]))
    if field.name not in columns and field.type == "DOUBLE[]":
        return _levels(table, field, columns, rows)
    if field.name not in columns:
        raise MISSING_COLUMN(table=table.name, column=field.name)
    values = columns[field.name]
    if len(values) != rows:
        raise BAD_LENGTH(table=table.name, column=field.name, rows=len(values), expected=rows)
    return convert(values, field.type)


@lru_cache(maxsize=4_096)
def _one(text: str) -> pa.Array:
    """Return an array of one text; making one looks for a library each time."""
    return pa.array([text], pa.string())


def convert(values: Any, kind: str) -> pa.Array:
    """Return an array of a column type; NaN and NULL_INT become null."""
    if isinstance(values, pa.Array):
        return values.cast(ARROW_TYPES[kind])
    if kind == "VARCHAR":
        return pa.array(list(values), pa.string())
    if kind == "DOUBLE[]":
        return _lists(np.asarray(values, np.float64))
    if kind == "DOUBLE":
        return _floats(np.ascontiguousarray(values, np.float64))
    words = np.ascontiguousarray(values, np.int64)
    missing = words == NULL_INT
    mask = missing if missing.any() else None
    if kind == "BOOLEAN":
        return pa.array(words != 0, mask=mask)
    return pa.array(words, mask=mask).view(ARROW_TYPES[kind])


def _floats(values: np.ndarray) -> pa.Array:
    missing = np.isnan(values)
    return pa.array(values, mask=missing if missing.any() else None)


def _levels(table: Table, field: Field, columns: Columns, rows: int) -> pa.Array:
    """Join the columns <name>_0, <name>_1 … to one list per row."""
    family: list[np.ndarray] = []
    while f"{field.name}_{len(family)}" in columns:
        family.append(np.asarray(columns[f"{field.name}_{len(family)}"]))
        if len(family[-1]) != rows:
            name = f"{field.name}_{len(family) - 1}"
            raise BAD_LENGTH(table=table.name, column=name, rows=len(family[-1]), expected=rows)
    if not family:
        raise MISSING_COLUMN(table=table.name, column=f"{field.name}_0")
    joined = np.empty((rows, len(family)))
    for start in range(0, rows, _CACHED_ROWS):
        for level, values in enumerate(family):
            joined[start : start + _CACHED_ROWS, level] = values[start : start + _CACHED_ROWS]
    return _lists(joined)


def _lists(joined: np.ndarray) -> pa.Array:
    rows, width = joined.shape
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)[: rows + 1]
    return pa.ListArray.from_arrays(pa.array(offsets), _floats(joined.reshape(-1)))
