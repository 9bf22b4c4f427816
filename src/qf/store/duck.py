"""The owner of a project's DuckDB file: ranges of tables are rewritten in one transaction each.

    1 a table that is absent, or has other columns than its definition, is made anew
    2 the rows of the range and the symbols are deleted (all of them: the table is made anew)
    3 the writer takes the rows as they are computed
    4 qf_runs says which run wrote them; the views are renewed; commit

Whatever fails on the way, a power cut included, the file holds what it held before.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from qf.schema import NULL_INT
from qf.schema_tables import Table, check_name
from qf.store import catalog
from qf.store.arrow import batch_of
from qf.store.change import FIRST_NS, LAST_NS, RUNS, Change
from qf.store.connect import explained, open_writer, quoted, where_is
from qf.store.key_texts import KeyTexts
from qf.store.record import RunRecord
from qf.store.segments import Segments, Version, exported, versions_in
from qf.store.writer import Writer

_SYMBOLS = "qf_symbols"


class Store:
    """Own the file while open; one process at a time can."""

    def __init__(self, path: Path, project: str, memory_mb: int = 448) -> None:
        """Open the file, making it if absent. Errors: QF600, QF602, QF603."""
        self.path, self.project = Path(path), check_name(project, "project")
        self.notes: list[str] = []  # sentences for the user
        self._connection = open_writer(self.path, memory_mb)
        with explained(self.path):
            for schema in catalog.schemas(project):
                self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    @contextmanager
    def rewrite(
        self,
        tables: Iterable[Table],
        symbols: Iterable[tuple[str, str]],
        span: tuple[int | None, int | None] = (None, None),
        run: RunRecord | None = None,
        only: Mapping[str, Sequence[str]] | None = None,
    ) -> Iterator[Writer]:
        """Replace the rows of (venue, symbol) pairs made in [start, end), ns; None leaves it open.

        `only` narrows what is replaced to some values of a text column: {"label_name": [...]}.
        The tables change when the block is left normally, all of them, and not at all otherwise.
        Errors: QF602, QF603 and those of `Writer.write`.
        """
        tables, symbols = list(tables), list(symbols)
        start = FIRST_NS if span[0] is None else int(span[0])
        end = LAST_NS if span[1] is None else int(span[1])
        with self._transaction():
            with explained(self.path):
                known = catalog.shapes(self._connection, self.project)
            for table in tables:
                self._ensure(table, known)
                self._clear(table, symbols, span, only or {})
            texts = KeyTexts(self._connection, self.project, known, symbols)
            writer = Writer(self._connection, self.project, tables, symbols, (start, end), texts)
            with explained(self.path):  # what the block raises passes through, DuckDB's explained
                yield writer
                writer.finish()
                if run is not None:
                    self._ensure(RUNS, known)
                    self._record(run, tables, symbols, span, writer)
                catalog.refresh_views(self._connection, self.project)

    def names(self) -> tuple[str, ...]:
        """Return the names of the tables that exist."""
        return tuple(catalog.tables_in(self._connection, self.project))

    def hash(self, name: str) -> str:
        """Return the hash of a table's content, whatever the order of its rows. Errors: QF605."""
        with explained(self.path):
            return catalog.hash_table(self._connection, self.project, name)

    def hashes(self) -> dict[str, str]:
        """Return the hash of every table but qf_runs."""
        return {
            name: self.hash(name) for name in catalog.stored_tables(self._connection, self.project)
        }

    def counts_by(self, name: str, column: str) -> dict[str, int]:
        """Return how many rows of a table have each value of a text column. Errors: QF605."""
        with explained(self.path):
            place = catalog.place_of(self._connection, self.project, name)
            query = f"SELECT {quoted(column)}, count(*) FROM {place} GROUP BY ALL ORDER BY ALL"
            return dict(self._connection.execute(query).fetchall())

    def ledgers(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return what is computed of each symbol, by (venue, symbol), as the last run left it."""
        with explained(self.path):
            if not catalog.has_progress(self._connection, self.project):
                return {}
            place = quoted(f"{self.project}_cdm", catalog.PROGRESS)
            query = f"SELECT venue, symbol, ledger FROM {place}"
            rows = self._connection.execute(query).fetchall()
        return {(venue, symbol): json.loads(text) for venue, symbol, text in rows}

    @contextmanager
    def change(
        self,
        run: RunRecord,
        parquet: Path | None = None,
        symbols: Iterable[tuple[str, str]] = (),
    ) -> Iterator[Change]:
        """Change parts of tables in one transaction, and the Parquet files after it.

        `symbols`: (venue, symbol) that are going to be written; others may come too.
        Errors: QF602, QF603 and those of `Writer.write`; then nothing has changed.
        """
        segments = Segments(parquet, self.project, run.run_id) if parquet else None
        try:
            with self._transaction(), explained(self.path):
                change = Change(self._connection, self.project, run, segments, symbols)
                yield change
                change.finish()
                catalog.refresh_views(self._connection, self.project)
        except BaseException:
            if segments is not None:
                segments.discard()
            raise
        self.notes += change.notes
        if segments is not None:
            self._publish(segments)

    def export_parquet(self, folder: Path) -> tuple[Path, ...]:
        """Write every table as one Parquet file; the list of files is replaced atomically."""
        run = uuid.uuid4().hex[:12]
        versions = {(name, "", ""): Version(run) for name in self.names()}
        with explained(self.path):
            Segments(folder, self.project, "").publish(self._connection, versions)
        found = exported(self.project, folder)
        return tuple(path for paths in found.values() for path in paths)

    def mend_parquet(self, folder: Path) -> None:
        """Export what the files lack: after a run that was killed behind its commit."""
        self._publish(Segments(folder, self.project, ""))

    def _publish(self, segments: Segments) -> None:
        ledgers = self.ledgers()
        versions = versions_in((*key, ledger) for key, ledger in ledgers.items())
        with explained(self.path):
            segments.publish(self._connection, versions)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with explained(self.path):
            self._connection.execute("BEGIN")
        try:
            yield
            with explained(self.path):
                self._connection.execute("COMMIT")
        except BaseException:
            # A failed COMMIT has ended the transaction already.
            with suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            raise

    def _ensure(self, table: Table, known: catalog.Shapes) -> None:
        with explained(self.path):
            note = catalog.ensure(self._connection, self.project, table, known)
        if note:
            self.notes.append(note)

    def _clear(
        self,
        table: Table,
        symbols: list[tuple[str, str]],
        span: tuple[int | None, int | None],
        only: Mapping[str, Sequence[str]],
    ) -> None:
        with explained(self.path):
            place = where_is(table, self.project)
            condition, values = _rows_of(table, span, only)
            self._connection.register(_SYMBOLS, _symbol_table(symbols))
            try:
                ((total, inside),) = self._connection.execute(
                    f"SELECT count(*), count(*) FILTER (WHERE {condition}) FROM {place}", values
                ).fetchall()
                if inside and inside == total:
                    self._connection.execute(f"TRUNCATE {place}")
                elif inside:
                    self._connection.execute(f"DELETE FROM {place} WHERE {condition}", values)
            finally:
                self._connection.unregister(_SYMBOLS)

    def _record(
        self,
        run: RunRecord,
        tables: list[Table],
        symbols: list[tuple[str, str]],
        span: tuple[int | None, int | None],
        writer: Writer,
    ) -> None:
        bounds = [NULL_INT if bound is None else int(bound) for bound in span]
        rows = [
            {
                **run.row(),
                "run_number": 0,
                "table_name": each.name,
                "venue": venue,
                "symbol": symbol,
                "start_time": bounds[0],
                "end_time": bounds[1],
                "row_count": writer.rows[(each.name, venue, symbol)],
            }
            for each in tables
            for venue, symbol in symbols
        ]
        columns = {name: [row[name] for row in rows] for name in RUNS.names}
        place = where_is(RUNS, self.project)
        self._connection.execute(f"DELETE FROM {place} WHERE run_id = ?", [run.run_id])
        self._connection.register(
            _SYMBOLS, pa.Table.from_batches([batch_of(RUNS, columns, {}, len(rows))])
        )
        try:
            self._connection.execute(f"INSERT INTO {place} SELECT * FROM {_SYMBOLS}")
        finally:
            self._connection.unregister(_SYMBOLS)


def _symbol_table(symbols: list[tuple[str, str]]) -> pa.Table:
    return pa.table(
        {
            "venue": pa.array([venue for venue, _ in symbols], pa.string()),
            "symbol": pa.array([symbol for _, symbol in symbols], pa.string()),
        }
    )


def _rows_of(
    table: Table, span: tuple[int | None, int | None], only: Mapping[str, Sequence[str]]
) -> tuple[str, list[object]]:
    """Return the condition that picks the rows to replace, and the values it binds."""
    among = f"(venue, symbol) IN (SELECT venue, symbol FROM {_SYMBOLS})"
    where = {name: kept for name, kept in only.items() if name in table.names}
    parts, values = catalog.conditions(table.made, where, span)
    return " AND ".join([among, *parts]), values
