"""Rows that a worker has made, on their way to the process that owns the database.

    <folder>/<table>.parquet        one symbol's rows of one table, in the order they were made

A spool is a file as the tables' readers take it: where a run only adds rows, the owner copies it
into DuckDB and gives it its place among the project's Parquet files (segments.py); nothing is
written twice. A thread of the same process hands the rows over in memory besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from qf.schema_tables import Table
from qf.store.key_texts import numbered
from qf.store.segments import open_segment, sync

BATCH_ROWS, BATCH_BYTES = 122_880, 128 << 20  # a row group of DuckDB; less of rows that are wide

Give = Callable[[str, list[pa.RecordBatch]], None]


class Spool:
    """The files of one symbol's rows; made by a worker, taken by `Change.take`."""

    def __init__(self, folder: Path, give: Give | None = None) -> None:
        """`give` gets a table's name and rows before they are written."""
        self.folder, self._give = Path(folder), give
        self._open: dict[str, pq.ParquetWriter] = {}

    def add(self, table: Table, venue: str, symbol: str, batches: list[pa.RecordBatch]) -> None:
        """Append rows to the file of a table; the symbol is always the same."""
        if not batches:
            return
        if table.name not in self._open:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._open[table.name] = open_segment(self._path(table.name), batches[0].schema)
        if self._give is not None:
            self._give(table.name, list(batches))
        while batches:
            self._open[table.name].write_batch(batches.pop(0))

    def finish(self) -> dict[str, str]:
        """Close the files and return them by table; they are on disk."""
        for name, writer in self._open.items():
            writer.close()
            sync(self._path(name))  # here, where others work meanwhile: not after the commit
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
