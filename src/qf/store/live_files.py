"""The tables of a live session as Parquet files, and the database that shows them by view.

    <folder>/<schema>/<table>/<venue>_<symbol>_<position>.parquet    rows of one epoch
    <folder>/<project>.json                                          the files of every table

A file's bytes follow from its rows alone, however they were gathered. The list names every file, so
a reader never sees half of a change. The form of both is that of a run's export (segments.py).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from qf.errors import RunError, diagnostic
from qf.schema_tables import Table
from qf.store.arrow import schema_of
from qf.store.connect import Connection
from qf.store.read import Reader
from qf.store.segments import exported, open_files

NOTHING_LIVE = diagnostic(
    "QF630", "no live session of {project} has written tables to {folder}", RunError
)

COMPRESSION = "lz4"
GROUP_ROWS = 8_192  # of a row group: made in some milliseconds, so that frames need not wait


class Draft:
    """A Parquet file in the making, one row group a step."""

    def __init__(self, table: Table, parts: Sequence[Sequence[pa.RecordBatch]]) -> None:
        """Name the batches of several parts, whose rows come one part after the other."""
        self._schema = schema_of(table)
        self._parts = [list(part) for part in parts if part]
        rows = sum(batch.num_rows for part in self._parts for batch in part)
        self.steps = -(-rows // GROUP_ROWS)
        self._done = 0
        self._out = io.BytesIO()

    @cached_property
    def _rows(self) -> pa.Table:
        pieces = [pa.Table.from_batches(part) for part in self._parts]
        return pa.concat_tables(pieces or [self._schema.empty_table()])

    @cached_property
    def _writer(self) -> pq.ParquetWriter:
        texts: Any = [field.name for field in self._schema if pa.types.is_string(field.type)]
        return pq.ParquetWriter(
            self._out,
            self._schema,
            compression=COMPRESSION,
            use_dictionary=texts or False,
            store_schema=False,
        )

    def step(self) -> None:
        """Write the next row group."""
        group = self._rows.slice(self._done * GROUP_ROWS, GROUP_ROWS)
        self._writer.write_table(_plain(group, self._schema))
        self._done += 1

    def finish(self) -> bytes:
        """Write what is left and return the file, however often it is asked for."""
        while self._done < self.steps:
            self.step()
        self._writer.close()
        return self._out.getvalue()


def parquet_bytes(table: Table, parts: Sequence[Sequence[pa.RecordBatch]]) -> bytes:
    """Return a Parquet file of the batches of several parts, one part after the other."""
    return Draft(table, parts).finish()


def read_rows(data: bytes) -> pa.RecordBatch:
    """Return the rows of a file whose bytes `parquet_bytes` made."""
    table = pq.ParquetFile(io.BytesIO(data)).read(use_threads=False)
    (batch,) = table.combine_chunks().to_batches() or (None,)
    assert batch is not None, "no file is written without rows"
    return batch


def _plain(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    pairs = zip(rows.columns, schema, strict=True)
    columns = [one if one.type == field.type else one.cast(field.type) for one, field in pairs]
    return pa.Table.from_arrays(columns, schema=schema).combine_chunks()


def file_of(table: Table, project: str, where: tuple[str, str], position: int) -> str:
    """Return the path of a table's rows of one symbol and epoch, relative to the folder."""
    venue, symbol = where
    word = symbol.encode().hex() if re.search(r"[^A-Za-z0-9]", symbol) else symbol
    schema = f"{project}_{table.area}"
    return f"{schema}/{table.name}/{venue}_{word}_{position:016d}.parquet"


def list_bytes(project: str, files: Mapping[str, Mapping[str, Sequence[str]]]) -> bytes:
    """Return the list of files: table with its area -> "venue/symbol" -> files."""
    tables = {}
    for name, rows in files.items():
        area, _, table = name.partition(".")
        tables[table] = {
            "schema": f"{project}_{area}",
            "rows": {where: {"run": "live", "files": list(each)} for where, each in rows.items()},
        }
    return json.dumps(tables, indent=1, sort_keys=True).encode()


class LiveReader(Reader):
    """Read the tables of a live session, while it runs and after."""

    def __init__(self, project: str, folder: Path) -> None:
        """Name the folder of the session's tables."""
        super().__init__(Path(folder) / "none.duckdb", project, folder)

    def _connect(self) -> Connection:
        assert self.parquet is not None
        if not exported(self.project, self.parquet):
            raise NOTHING_LIVE(project=self.project, folder=self.parquet)
        self.source = "parquet"
        return open_files(self.project, self.parquet)
