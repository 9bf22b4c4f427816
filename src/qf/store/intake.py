"""Rows of many symbols on their way into their tables, a row group's worth and more at a time.

A statement for a few rows costs milliseconds. So a table's rows wait, in their files or in memory,
until they would fill a row group. What waits in memory is bounded: rows beyond it are read from
their files again.
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
        while self.sources:
            yield from map(_even, _batches(self.sources.pop(0)))


class Intake:
    """The tables' waiting rows; all of them are in the tables after `finish`."""

    def __init__(self, insert: Insert) -> None:
        """`insert` adds the rows of a reader to a table, and is told its keys' texts."""
        self._insert = insert
        self._waiting: dict[str, _Waiting] = {}

    def add(self, table: Table, file: Path, rows: int, given: Batches = ()) -> None:
        """Take rows in the order they were made; the file stays where it is until they are in.

        `given` are the same rows, where they are in memory: they are read there unless they would
        have to wait and there is no room.
        """
        if not rows:
            return
        waiting = self._waiting.setdefault(table.name, _Waiting(table))
        waiting.rows += rows
        at_once = waiting.rows >= AT_ONCE_ROWS
        size = sum(batch.nbytes for batch in given)
        room = HELD_BYTES - sum(each.held for each in self._waiting.values())
        in_memory = bool(given) and (at_once or size <= room)
        waiting.sources.append(given if in_memory else file)
        waiting.held += size if in_memory else 0
        for name, texts in texts_in(table, given or key_columns(table, file)).items():
            waiting.texts.setdefault(name, set()).update(texts)
        if at_once:
            self._send(table.name)

    def finish(self) -> None:
        """Insert what still waits."""
        for name in [*self._waiting]:
            self._send(name)

    def _send(self, name: str) -> None:
        waiting = self._waiting.pop(name)
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
