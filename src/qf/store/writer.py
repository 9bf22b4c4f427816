"""Take rows as they are computed, and put them into the tables in large batches.

1 rows outside the range are dropped: a run that starts earlier writes all it computes
2 the key must grow: what is written twice is caught here, not found in the data
3 arrays become Arrow (NaN and NULL_INT become null) and wait, table by table
4 when BATCH_BYTES wait, the table with the most of them goes to DuckDB in one statement; a run's
  rows go on at once, to where those of several symbols wait together (intake.py)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import duckdb
import numpy as np
import pyarrow as pa

from qf.errors import RunError, diagnostic
from qf.schema import NULL_INT
from qf.schema_tables import Table
from qf.store.arrow import MISSING_COLUMN, Columns, batch_of, count_rows, int_words, take
from qf.store.connect import Connection, quoted, where_is
from qf.store.key_texts import KeyTexts, Texts, one_text, texts_in

NOT_IN_STAGE = diagnostic("QF622", "table {table} is not among those being rewritten", RunError)
OUT_OF_ORDER = diagnostic(
    "QF623",
    "table {table}, {where}: {ordinal} {value} comes after {last}: rows would be written twice",
    RunError,
)
OTHER_SYMBOL = diagnostic(
    "QF624", "table {table}: {symbol} is not among the symbols being rewritten", RunError
)
NO_TIME = diagnostic("QF625", "table {table}: a row has no {made}", RunError)

BATCH_BYTES = 64 << 20
Batches = list[pa.RecordBatch]
_WAITING = "qf_waiting"  # the name under which a batch is shown to DuckDB


class Writer:
    """Write to the tables of one transaction; made by `Store.rewrite`."""

    gathers = True  # rows wait until there are many; else they go on as they come

    def __init__(
        self,
        connection: Connection | None,
        project: str,
        tables: Iterable[Table],
        symbols: Iterable[tuple[str, str]],
        span: tuple[int, int],
        key_texts: KeyTexts | None = None,
    ) -> None:
        """Write into the tables; without a connection `put` must bring the rows elsewhere."""
        self.counts: Counter[str] = Counter()  # rows written, by table
        self.rows: Counter[tuple[str, str, str]] = Counter()  # by table, venue and symbol
        self._connection, self._project, self._key_texts = connection, project, key_texts
        self._tables = {table.name: table for table in tables}
        self._symbols = set(symbols)
        self._start, self._end = span
        self._waiting: dict[tuple[str, tuple[str, ...]], Batches] = {}
        self._bytes: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self._last: dict[tuple[str, ...], int] = {}

    def write(self, table: Table, columns: Columns, **constants: str) -> None:
        """Add rows: columns as arrays (others are ignored), constants for the text columns.

        Arrays are NumPy's, with NaN and NULL_INT for missing, or Arrow's. They must stay as they
        are until the transaction ends.
        Errors: QF620 to QF625.
        """
        if table.name not in self._tables:
            raise NOT_IN_STAGE(table=table.name)
        where = (constants.get("venue", ""), constants.get("symbol", ""))
        if where not in self._symbols:
            raise OTHER_SYMBOL(table=table.name, symbol=" ".join(where))
        rows = count_rows(table, columns)
        if rows and table.made:
            columns, rows = self._inside(table, columns, rows)
        if not rows:
            return
        self._check_order(table, columns, constants)
        batch = batch_of(table, columns, constants, rows)
        key = (table.name, tuple(sorted(constants)))
        self._waiting.setdefault(key, []).append(batch)
        self._bytes[key] += batch.nbytes
        self.count(table, constants, batch)
        # Counted over all tables: what waits is bounded.
        while self._bytes and (not self.gathers or self._bytes.total() >= BATCH_BYTES):
            self._send(max(self._bytes, key=lambda each: self._bytes[each]))

    def count(self, table: Table, constants: Mapping[str, str], batch: pa.RecordBatch) -> None:
        """Count the rows of a batch that goes to a table."""
        self.counts[table.name] += batch.num_rows
        self.rows[table.name, constants["venue"], constants["symbol"]] += batch.num_rows

    def finish(self) -> None:
        """Send what still waits."""
        for key in list(self._waiting):
            self._send(key)

    def _inside(self, table: Table, columns: Columns, rows: int) -> tuple[Columns, int]:
        if table.made not in columns:
            raise MISSING_COLUMN(table=table.name, column=table.made)
        made = int_words(columns[table.made])
        first = made.min()
        if first == NULL_INT:
            raise NO_TIME(table=table.name, made=table.made)
        if self._start <= first and made.max() < self._end:
            return columns, rows
        keep = (made >= self._start) & (made < self._end)
        return take(table, columns, keep), int(keep.sum())

    def _check_order(self, table: Table, columns: Columns, constants: Mapping[str, str]) -> None:
        if not table.ordinal:
            return
        if table.ordinal not in columns:
            raise MISSING_COLUMN(table=table.name, column=table.ordinal)
        ordinals = int_words(columns[table.ordinal])
        place = (table.name, *(constants[name] for name in sorted(constants)))
        steps = np.diff(ordinals, prepend=self._last.get(place, int(ordinals[0]) - 1))
        wrong = steps < 0 if table.repeats else steps <= 0
        if wrong.any():
            at = int(np.argmax(wrong))
            last = ordinals[at - 1] if at else self._last[place]
            raise OUT_OF_ORDER(
                table=table.name,
                where=" ".join(place[1:]),
                ordinal=table.ordinal,
                value=int(ordinals[at]),
                last=int(last),
            )
        self._last[place] = int(ordinals[-1])

    def _send(self, key: tuple[str, tuple[str, ...]]) -> None:
        batches = self._waiting.pop(key)
        del self._bytes[key]
        self.put(self._tables[key[0]], batches)

    def put(self, table: Table, batches: Batches) -> None:
        """Add the batches' rows to the table, and let the batches go."""
        texts = texts_in(table, batches)
        # Until the transaction ends DuckDB keeps what was registered: a reader that has been read
        # holds nothing, a table would hold all its rows.
        reader = pa.RecordBatchReader.from_batches(batches[0].schema, _taken(batches))
        self.insert(table, reader, texts)

    def insert(self, table: Table, waiting: pa.RecordBatchReader, texts: Texts) -> None:
        """Add the rows of a reader to the table; `texts` are all those that its keys may have."""
        assert self._connection is not None and self._key_texts is not None, "put goes elsewhere"
        self._key_texts.admit(table, texts)
        names = ", ".join(quoted(name) for name in table.names)
        # A text that all rows share need not be read from each of them.
        given = ", ".join(one_text(texts.get(name, ())) or quoted(name) for name in table.names)
        place = where_is(table, self._project)
        self._connection.register(_WAITING, waiting)
        try:
            self._connection.execute(
                f"INSERT INTO {place} ({names}) SELECT {given} FROM {_WAITING}"
            )
        except BaseException:
            with suppress(duckdb.Error):  # a broken transaction refuses it: no cause of anything
                self._connection.unregister(_WAITING)
            raise
        self._connection.unregister(_WAITING)


def _taken(batches: Batches) -> Iterator[pa.RecordBatch]:
    """Yield the batches and let each go."""
    while batches:
        yield batches.pop(0)
