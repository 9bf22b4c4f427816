"""One run's transaction: parts of tables are cleared and written, and the record of it with them.

A part is what one run step makes: a table's rows of one symbol and, where a table holds many, of
one clock, label or feature. Either the whole of a run is there, its rows, its record in qf_runs and
what the next run goes on from, or nothing of it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qf.regime_table import RegimeTable
from qf.schema import NULL_INT
from qf.schema_records import PART_COLUMNS, RECORDS
from qf.schema_tables import TABLES, Table
from qf.store import catalog
from qf.store.arrow import batch_of, schema_of
from qf.store.connect import Connection, literal, quoted, where_is
from qf.store.hashing import RowSums
from qf.store.intake import Intake
from qf.store.key_texts import KeyTexts
from qf.store.record import RunRecord
from qf.store.regime_codes import make_regime_codes
from qf.store.segments import Segments
from qf.store.spool import Spool
from qf.store.writer import Writer

FIRST_NS, LAST_NS = -(2**63) + 1, 2**63 - 1
RUNS, PROGRESS = TABLES["qf_runs"], TABLES["qf_progress"]
_ROWS = "qf_rows"

Constants = Mapping[str, str]
PartKey = tuple[str, ...]  # table, venue, symbol, then the part columns' values


def part_key(table: str, constants: Constants) -> PartKey:
    """Return what names a part: its table and the texts that are one in all of its rows."""
    where = (constants["venue"], constants["symbol"])
    return (table, *where, *(constants.get(name, "") for name in PART_COLUMNS))


class RunWriter(Writer):
    """Count and hash what is written, part by part, and hand it on as it comes.

    Files get it, and the tables where there is a connection: through an intake, which gathers.
    """

    gathers = False

    def __init__(
        self,
        connection: Connection | None,
        project: str,
        files: Segments | Spool | None,
        key_texts: KeyTexts | None = None,
    ) -> None:
        """Write to the database and to files; without a connection to files alone."""
        super().__init__(connection, project, (), (), (FIRST_NS, LAST_NS), key_texts)
        self.intake = Intake(self.insert)
        self.sums: defaultdict[PartKey, RowSums] = defaultdict(RowSums)
        self._files = files
        self._now = ("", "")

    def admit(self, tables: Iterable[Table], venue: str, symbol: str) -> None:
        """Take rows of these tables and of this symbol from now on, whenever they were made."""
        self._tables |= {table.name: table for table in tables}
        self._symbols, self._now = {(venue, symbol)}, (venue, symbol)
        self.limit(None, None)

    def limit(self, start: int | None, end: int | None) -> None:
        """Drop rows that were not made in [start, end), ns; None leaves it open."""
        self._start = FIRST_NS if start is None else start
        self._end = LAST_NS if end is None else end

    def count(self, table: Table, constants: Constants, batch: pa.RecordBatch) -> None:
        """Count and hash the rows of a batch for the part it belongs to."""
        super().count(table, constants, batch)
        self.sums[part_key(table.name, constants)].add(batch)

    def written(self, table: Table, constants: Constants) -> dict[str, Any]:
        """Return the columns of qf_runs about what was written of a part."""
        sums = self.sums[part_key(table.name, constants)]
        return {"row_count": sums.rows, "row_hash": sums.digest(schema_of(table))}

    def put(self, table: Table, batches: list[pa.RecordBatch]) -> None:
        """Add the batches' rows to the table and to its Parquet file."""
        given = list(batches)
        if self._files is not None:
            self._files.add(table, *self._now, batches)
        if self._connection is not None:
            self.intake.add(table, given, sum(batch.num_rows for batch in given))


class Change:
    """What one transaction does to a project's tables; made by `Store.change`."""

    def __init__(
        self,
        connection: Connection,
        project: str,
        run: RunRecord,
        segments: Segments | None,
        symbols: Iterable[tuple[str, str]] = (),
    ) -> None:
        """`symbols`: (venue, symbol) that are going to be written; others may come too."""
        self.notes: list[str] = []
        self.anew: set[str] = set()  # tables that were absent or of another shape
        self._there: set[str] = set()  # tables that are as they are defined
        self._shapes = catalog.shapes(connection, project)  # what is true of the tables
        texts = KeyTexts(connection, project, self._shapes, symbols)
        self.writer = RunWriter(connection, project, segments, texts)
        self.run, self.project = run, project
        self._connection, self._segments = connection, segments
        self._files: dict[tuple[str, str, str], tuple[bool, bool]] = {}  # appended, whole
        for table in (RUNS, PROGRESS):
            self.notes += filter(None, [self._ensure(table)])
        place = where_is(RUNS, project)
        query = f"SELECT coalesce(max(run_number), 0) + 1 FROM {place}"
        ((self.number,),) = connection.execute(query).fetchall()

    def prepare(self, tables: Iterable[Table], venue: str, symbol: str) -> None:
        """Make the tables that are absent or have other columns, and take rows of one symbol."""
        tables = list(tables)
        self.make(tables)
        self.writer.admit(tables, venue, symbol)

    def make(self, tables: Iterable[Table]) -> None:
        """Make the tables that are absent or have other columns."""
        for table in tables:
            if table.name in self._there:
                continue
            self._there.add(table.name)
            absent = (f"{self.project}_{table.area}", table.name) not in self._shapes
            note = self._ensure(table)
            self.notes += [note] if note else []
            if note or absent:
                self.anew.add(table.name)

    def _ensure(self, table: Table) -> str:
        return catalog.ensure(self._connection, self.project, table, self._shapes)

    def name_regimes(self, tables: Mapping[str, RegimeTable]) -> None:
        """Let the view `regime_codes` say what the codes of the regime tables mean."""
        make_regime_codes(self._connection, self.project, tables)

    def clear(
        self, table: Table, parts: Sequence[Constants], span: tuple[int | None, int | None]
    ) -> int:
        """Remove the rows of parts made in [start, end), ns; return how many there were."""
        return self._delete(where_is(table, self.project), table.made, parts, span)

    def remove(self, name: str, parts: Sequence[Constants]) -> int:
        """Remove all rows of parts of a table that no definition makes any more; drop it if empty.

        Return how many rows there were.
        """
        known = catalog.tables_in(self._connection, self.project)
        if name not in known:
            return 0
        place = quoted(known[name], name)
        gone = self._delete(place, "", parts, (None, None))
        ((left,),) = self._connection.execute(f"SELECT count(*) FROM {place}").fetchall()
        if not left:
            self._connection.execute(f"DROP TABLE {place}")
            self._there.discard(name)
            self._shapes.pop((known[name], name), None)
        return gone

    def take(
        self,
        table: Table,
        where: tuple[str, str],
        source: Path | Sequence[pa.RecordBatch],
        rows: int,
    ) -> None:
        """Add rows that a worker has made, counted and hashed: from its file, or from memory.

        `where` is venue and symbol. A file is kept if wanted, also one of which no rows are to be
        read. The rows are in the table after `finish`.
        """
        self.writer.counts[table.name] += rows
        self.writer.rows[table.name, *where] += rows
        if isinstance(source, Path) and self._segments is not None:
            source = self._segments.adopt(table, *where, source)
        self.writer.intake.add(table, source, rows)

    def catch_up(self) -> bool:
        """Bring some of what was taken into the tables; return whether there was enough of it."""
        return self.writer.intake.catch_up()

    def finish(self) -> None:
        """Bring into the tables all that has been given."""
        self.writer.intake.finish()

    def rows_of(self, tables: Iterable[Table], venue: str, symbol: str) -> dict[str, int]:
        """Return how many rows of a symbol each table holds."""
        asked = [
            f"SELECT {literal(table.name)}, count(*) FROM {where_is(table, self.project)} "
            "WHERE venue = $1 AND symbol = $2"
            for table in tables
        ]
        query = " UNION ALL ".join(asked)
        values = [venue, symbol]
        return dict(self._connection.execute(query, values).fetchall()) if asked else {}

    def want_file(self, table: Table, venue: str, symbol: str, appended: bool, left: int) -> None:
        """Let what is written of a table make a Parquet file by itself, where that is right.

        It is where rows are only `appended`, or where none of the symbol's are `left` in the table.
        """
        self._files[table.name, venue, symbol] = (appended, not left)
        if self._segments is not None and (appended or not left):
            self._segments.want(table.name, venue, symbol)

    def versions(
        self, wrote: Mapping[str, Mapping[str, Any]], venue: str, symbol: str
    ) -> dict[str, dict[str, Any]]:
        """Return, for the tables of a symbol that have changed, which run wrote them and how."""
        found = {}
        for (name, *where), (appended, whole) in self._files.items():
            rows = self.writer.rows[name, venue, symbol]
            if where != [venue, symbol] or (appended and not rows and name in wrote):
                continue
            before = wrote[name]["run"] if appended and name in wrote else ""
            found[name] = {"run": self.run.run_id, "before": before, "whole": whole}
        return found

    def totals(self) -> dict[str, int]:
        """Return how many rows every table of results has."""
        known = catalog.tables_in(self._connection, self.project)
        results = {name: schema for name, schema in known.items() if name not in RECORDS}
        return catalog.row_counts(self._connection, results)

    def feature_rows(self, constants: Constants, ids: tuple[int, int]) -> dict[str, np.ndarray]:
        """Return bar_id, value and quality of a feature's bars from the first to the last id."""
        where = " AND ".join(f"{quoted(name)} = ?" for name in constants)
        query = (
            f"SELECT bar_id, value, quality FROM {where_is(TABLES['features'], self.project)} "
            f"WHERE {where} AND bar_id BETWEEN ? AND ? ORDER BY bar_id"
        )
        return self._fetch(query, [*constants.values(), *ids])

    def feature_times(
        self, constants: Constants, span: tuple[int | None, int | None]
    ) -> dict[str, np.ndarray]:
        """Return bar_id, feature_time (ns), value and quality of a feature's bars."""
        ranges, values = catalog.conditions("feature_time", {}, span)
        where = " AND ".join([*ranges, *(f"{quoted(name)} = ?" for name in constants)])
        query = (
            "SELECT bar_id, epoch_ns(feature_time) AS feature_time, value, quality "
            f"FROM {where_is(TABLES['features'], self.project)} WHERE {where} ORDER BY bar_id"
        )
        return self._fetch(query, [*values, *constants.values()])

    def _fetch(self, query: str, values: Sequence[object]) -> dict[str, np.ndarray]:
        found = self._connection.execute(query, list(values)).fetchnumpy()
        missing = {"f": np.nan, "i": NULL_INT}
        return {
            name: np.ma.filled(column, missing.get(column.dtype.kind))
            for name, column in found.items()
        }

    def log(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the record: rows of qf_runs without what is the run's own."""
        own = {**self.run.row(), "run_number": self.number}
        self._insert(RUNS, [{**own, **row} for row in rows])

    def keep(self, venue: str, symbol: str, ledger: Mapping[str, Any]) -> None:
        """Replace what the next run goes on from."""
        place = where_is(PROGRESS, self.project)
        self._connection.execute(
            f"DELETE FROM {place} WHERE venue = ? AND symbol = ?", [venue, symbol]
        )
        row = {"venue": venue, "symbol": symbol, "run_id": self.run.run_id}
        self._insert(PROGRESS, [{**row, "ledger": json.dumps(ledger)}])

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        times = {field.name for field in table.fields if field.type == "TIMESTAMP_NS"}
        columns = {
            name: [NULL_INT if row[name] is None and name in times else row[name] for row in rows]
            for name in table.names
        }
        batch = batch_of(table, columns, {}, len(rows))
        self._connection.register(_ROWS, pa.Table.from_batches([batch]))
        try:
            place = where_is(table, self.project)
            self._connection.execute(f"INSERT INTO {place} SELECT * FROM {_ROWS}")
        finally:
            self._connection.unregister(_ROWS)

    def _delete(
        self,
        place: str,
        made: str,
        parts: Sequence[Constants],
        span: tuple[int | None, int | None],
    ) -> int:
        ranges, values = catalog.conditions(made, {}, span)
        chosen = []
        for constants in parts:
            chosen.append(" AND ".join(f"{quoted(name)} = ?" for name in constants))
            values += list(constants.values())
        condition = " AND ".join([*ranges, "(" + " OR ".join(chosen) + ")"]) if parts else "false"
        # Asked apart: a WHERE passes over the row groups of other symbols, a FILTER reads them all.
        query = f"SELECT count(*) FROM {place} WHERE {condition}"
        ((inside,),) = self._connection.execute(query, values).fetchall()
        if not inside:
            return 0
        ((total,),) = self._connection.execute(f"SELECT count(*) FROM {place}").fetchall()
        if inside == total:
            self._connection.execute(f"TRUNCATE {place}")
        else:
            self._connection.execute(f"DELETE FROM {place} WHERE {condition}", values)
        return inside
