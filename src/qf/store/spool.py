"""Rows that a worker has made, on their way to the process that owns the database.

    <folder>/<table>.parquet        one symbol's rows of one table, in the order they were made

A spool is a file as the tables' readers take it: where a run only adds rows, the owner copies it
into DuckDB and gives it its place among the project's Parquet files (segments.py); nothing is
written twice.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from qf.schema_tables import Table
from qf.store.segments import open_segment

BATCH_ROWS = 122_880  # a row group of DuckDB


class Spool:
    """The files of one symbol's rows; made by a worker, taken by `Change.take`."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._open: dict[str, pq.ParquetWriter] = {}

    def add(self, table: Table, venue: str, symbol: str, batches: list[pa.RecordBatch]) -> None:
        """Append rows to the file of a table; the symbol is always the same."""
        if not batches:
            return
        if table.name not in self._open:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{table.name}.parquet"
            self._open[table.name] = open_segment(path, batches[0].schema)
        while batches:
            self._open[table.name].write_batch(batches.pop(0))

    def finish(self) -> dict[str, str]:
        """Close the files and return them by table."""
        for writer in self._open.values():
            writer.close()
        return {name: str(self.folder / f"{name}.parquet") for name in self._open}


def spooled(path: Path) -> pa.RecordBatchReader:
    """Return the rows of a file in the order they were made, texts as dictionaries."""
    schema = pq.read_schema(path)
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    file = pq.ParquetFile(path, read_dictionary=texts)
    batches = file.iter_batches(BATCH_ROWS)
    return pa.RecordBatchReader.from_batches(file.schema_arrow, batches)
