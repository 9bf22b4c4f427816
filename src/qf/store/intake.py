"""Rows of many symbols on their way into their tables, put together to whole row groups.

DuckDB packs several row groups at once, and only where it is given whole ones; a statement for a
few rows costs milliseconds. So a table's rows wait, in their files or in memory, until there are
some groups of them, and what is left of the last one waits for the next. What waits in memory is
bounded: rows beyond it are read from their files again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from qf.schema_tables import Table
from qf.store.key_texts import Texts, texts_in
from qf.store.spool import BATCH_ROWS, batch_rows, key_columns, spooled

AT_ONCE_ROWS = 4 * BATCH_ROWS
HELD_BYTES = 64 << 20  # of all tables' rows that nobody has read yet

Batches = Sequence[pa.RecordBatch]
Insert = Callable[[Table, pa.RecordBatchReader, Texts], None]


@dataclass
class _Waiting:
    """What waits for one table: sources that nobody has read yet, and the rest of the last one."""

    table: Table
    sources: list[Path | Batches] = field(default_factory=list)
    rest: list[pa.RecordBatch] = field(default_factory=list)
    texts: dict[str, set[str | None]] = field(default_factory=dict)  # of all sources so far
    rows: int = 0
    held: int = 0  # bytes of the sources that are in memory

    def schema(self) -> pa.Schema:
        """Return the columns that all sources have in common."""
        if self.rest:
            return self.rest[0].schema
        return _even(next(_batches(self.sources[0]))).schema

    def groups(self, last: bool) -> Iterator[pa.RecordBatch]:
        """Yield whole row groups and, with `last`, what is left; sources go as they are read."""
        held = sum(batch.num_rows for batch in self.rest)
        while self.sources:
            source = self.sources.pop(0)
            for batch in map(_even, _batches(source)):
                self.rest.append(batch)
                held += batch.num_rows
                group = batch_rows(batch.nbytes, batch.num_rows)
                while held >= group:
                    whole, self.rest = _cut(self.rest, group)
                    held -= group
                    self.rows -= group
                    yield whole
        self.held = 0
        if last and held:
            whole, self.rest = _cut(self.rest, held)
            self.rows -= held
            yield whole


class Intake:
    """The tables' waiting rows; all of them are in the tables after `finish`."""

    def __init__(self, insert: Insert) -> None:
        """`insert` adds the rows of a reader to a table, and is told its keys' texts."""
        self._insert = insert
        self._waiting: dict[str, _Waiting] = {}

    def add(self, table: Table, file: Path, rows: int, given: Batches = ()) -> None:
        """Take rows in the order they were made; the file stays where it is until they are in.

        `given` are the same rows, where they are in memory: they are read there if there is room.
        """
        if not rows:
            return
        waiting = self._waiting.setdefault(table.name, _Waiting(table))
        size = sum(batch.nbytes for batch in given)
        room = HELD_BYTES - sum(each.held for each in self._waiting.values())
        in_memory = 0 < size <= room
        waiting.sources.append(given if in_memory else file)
        for name, texts in texts_in(table, given or key_columns(table, file)).items():
            waiting.texts.setdefault(name, set()).update(texts)
        waiting.held += size if in_memory else 0
        waiting.rows += rows
        if waiting.rows >= AT_ONCE_ROWS:
            self._send(waiting, last=False)

    def finish(self) -> None:
        """Insert what still waits."""
        for waiting in self._waiting.values():
            self._send(waiting, last=True)
        self._waiting = {}

    def _send(self, waiting: _Waiting, last: bool) -> None:
        if waiting.rows:
            groups = waiting.groups(last)
            reader = pa.RecordBatchReader.from_batches(waiting.schema(), groups)
            self._insert(waiting.table, reader, waiting.texts)


def _batches(source: Path | Batches) -> Iterator[pa.RecordBatch]:
    if not isinstance(source, Path):
        yield from source
        return
    with spooled(source) as reader:
        yield from reader


def _even(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose texts are numbered alike, wherever it comes from."""
    columns = [_numbered(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _numbered(column: pa.Array) -> pa.Array:
    """Return texts as numbers of a dictionary, as they come from a file; others as they are."""
    if pa.types.is_string(column.type):
        return column.dictionary_encode()
    if isinstance(column, pa.DictionaryArray):
        return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), column.dictionary)
    return column


def _cut(batches: Batches, rows: int) -> tuple[pa.RecordBatch, list[pa.RecordBatch]]:
    """Return the first rows as one batch, and the others."""
    first, rest, left = [], [], rows
    for batch in batches:
        take = min(left, batch.num_rows)
        if take:
            first.append(batch.slice(0, take))
        if take < batch.num_rows:
            rest.append(batch.slice(take))
        left -= take
    (whole,) = pa.Table.from_batches(first).combine_chunks().to_batches()
    return whole, rest
