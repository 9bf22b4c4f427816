"""Rows that a worker has made, on their way to the process that owns the database.

    <folder>/<table>.parquet        one symbol's rows of one table, in the order they were made

A spool is a file as the tables' readers take it: where a run only adds rows, the owner copies it
into DuckDB and gives it its place among the project's Parquet files (segments.py); nothing is
written twice. A thread of the same process hands the rows over in memory too, while they are few.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from qf.schema_tables import Table
from qf.store.key_texts import numbered
from qf.store.segments import open_segment

BATCH_ROWS, BATCH_BYTES = 122_880, 128 << 20  # a row group of DuckDB; less of rows that are wide
HAND_BYTES, TABLE_BYTES = 256 << 20, 64 << 20  # in memory: of all, and of one symbol's table


class Hand:
    """Rows that are in memory between a thread that made them and the owner: few, or none."""

    def __init__(self, most_bytes: int = HAND_BYTES) -> None:
        self._most, self._bytes, self._lock = most_bytes, 0, threading.Lock()
        self._rows: dict[str, list[pa.RecordBatch]] = {}

    def keep(self, path: Path, batches: list[pa.RecordBatch]) -> None:
        """Keep all rows of a file, if there is room for them."""
        size = sum(batch.nbytes for batch in batches)
        with self._lock:
            if self._bytes + size <= self._most:
                self._bytes += size
                self._rows[str(path)] = batches

    def take(self, path: Path) -> list[pa.RecordBatch]:
        """Return the rows of a file and let them go; none where it was not kept."""
        with self._lock:
            batches = self._rows.pop(str(path), [])
            self._bytes -= sum(batch.nbytes for batch in batches)
        return batches


class Spool:
    """The files of one symbol's rows; made by a worker, taken by `Change.take`."""

    def __init__(self, folder: Path, hand: Hand | None = None) -> None:
        """With a hand, a table's rows go there too, if they are few."""
        self.folder, self._hand = Path(folder), hand
        self._open: dict[str, pq.ParquetWriter] = {}
        self._kept: dict[str, list[pa.RecordBatch]] = {}

    def add(self, table: Table, venue: str, symbol: str, batches: list[pa.RecordBatch]) -> None:
        """Append rows to the file of a table; the symbol is always the same."""
        if not batches:
            return
        if table.name not in self._open:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._open[table.name] = open_segment(self._path(table.name), batches[0].schema)
            if self._hand is not None:
                self._kept[table.name] = []
        for batch in batches:
            self._open[table.name].write_batch(batch)
        if table.name in self._kept:
            self._kept[table.name] += batches
            if sum(batch.nbytes for batch in self._kept[table.name]) > TABLE_BYTES:
                del self._kept[table.name]
        batches.clear()

    def finish(self) -> dict[str, str]:
        """Close the files and return them by table."""
        for writer in self._open.values():
            writer.close()
        for name, batches in self._kept.items():
            assert self._hand is not None
            self._hand.keep(self._path(name), batches)
        return {name: str(self._path(name)) for name in self._open}

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"


def batch_rows(size: int, rows: int) -> int:
    """Return how many rows make a batch, where `rows` of them take `size` bytes."""
    return max(1, min(BATCH_ROWS, BATCH_BYTES * rows // max(size, 1)))


def spooled(path: Path) -> pa.RecordBatchReader:
    """Return the rows of a file in the order they were made, texts as dictionaries."""
    schema = pq.read_schema(path)
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    file = pq.ParquetFile(path, read_dictionary=texts)
    groups = [file.metadata.row_group(place) for place in range(file.num_row_groups)]
    most = batch_rows(sum(group.total_byte_size for group in groups), file.metadata.num_rows)
    return pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(most))


def key_columns(table: Table, path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the texts of the keys of a file's rows, as dictionaries."""
    names = list(numbered(table))
    with pq.ParquetFile(path, read_dictionary=names) as file:
        yield from file.iter_batches(BATCH_ROWS, columns=names)
