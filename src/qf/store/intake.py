"""Rows of many symbols on their way into their tables, a row group's worth and more at a time.

A statement for a few rows costs milliseconds. So a table's rows wait, in their files or in memory,
until they would fill a row group, or there is nothing else to do. What waits in memory is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pyarrow as pa

from qf.schema_tables import Table
from qf.store.key_texts import Texts, texts_in
from qf.store.spool import BATCH_ROWS, key_columns, spooled

AT_ONCE_ROWS = BATCH_ROWS
WORTH_ROWS = BATCH_ROWS // 8  # that are worth a statement where there is time
HELD_BYTES = 64 << 20  # of all tables' rows that wait in memory

Batches = Sequence[pa.RecordBatch]
Insert = Callable[[Table, pa.RecordBatchReader, Texts], None]


@dataclass
class _Waiting:
    """What waits for one table, source by source in the order it was made."""

    table: Table
    sources: list[Path | Batches] = field(default_factory=list)
    texts: dict[str, set[str | None]] = field(default_factory=dict)  # of the keys of all sources
    rows: int = 0
    held: int = 0  # bytes of the sources that are in memory

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows; a source is let go of when it has been read."""
        alike = self._alike()
        while self.sources:
            batches = _batches(self.sources.pop(0))
            yield from batches if alike else map(_even, batches)

    def _alike(self) -> bool:
        """Say whether all rows are in memory, their texts numbered in the same way."""
        held = [source for source in self.sources if not isinstance(source, Path)]
        schemas = {batch.schema for source in held for batch in source}
        return len(held) == len(self.sources) and len(schemas) == 1


class Intake:
    """The tables' waiting rows; all of them are in the tables after `finish`."""

    def __init__(self, insert: Insert) -> None:
        """`insert` adds the rows of a reader to a table, and is told its keys' texts."""
        self._insert = insert
        self._waiting: dict[str, _Waiting] = {}

    def add(self, table: Table, source: Path | Batches, rows: int) -> None:
        """Take the rows of a file, or those in memory, in the order they were made.

        A file stays where it is until its rows are in.
        """
        if not rows:
            return
        waiting = self._waiting.setdefault(table.name, _Waiting(table))
        in_file = isinstance(source, Path)
        waiting.sources.append(source)
        waiting.rows += rows
        waiting.held += 0 if in_file else sum(batch.nbytes for batch in source)
        keys = key_columns(table, source) if in_file else source
        for name, texts in texts_in(table, keys).items():
            waiting.texts.setdefault(name, set()).update(texts)
        if waiting.rows >= AT_ONCE_ROWS:
            self._send(waiting)
        while sum(each.held for each in self._waiting.values()) > HELD_BYTES:
            self._send(max(self._waiting.values(), key=lambda each: each.held))

    def catch_up(self) -> bool:
        """Insert of what waits the table with the most rows; return whether it is worth it."""
        most = max(self._waiting.values(), key=lambda each: each.rows, default=None)
        if most is None or most.rows < WORTH_ROWS:
            return False
        self._send(most)
        return True

    def finish(self) -> None:
        """Insert what still waits."""
        for waiting in [*self._waiting.values()]:
            self._send(waiting)

    def _send(self, waiting: _Waiting) -> None:
        del self._waiting[waiting.table.name]
        batches = waiting.batches()
        first = next(batches)
        reader = pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
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
