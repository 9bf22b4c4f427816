"""Read a project's tables: every call opens the file, takes what it needs, and lets it go.

Calls in a `with reader.held():` share one opening.

While a run owns the file, DuckDB refuses every other process; the Parquet files beside it, where
they were exported, are read then instead (`Reader.source` says which). Queries see this database
and nothing else: no file, no network, no extension, no setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from qf.errors import DefinitionError, QuantflowError, diagnostic, nearest
from qf.schema_tables import check_name
from qf.store import catalog
from qf.store.connect import BAD_QUERY, Connection, explained, literal, open_reader, quoted
from qf.store.segments import exported, open_files

NO_SUCH = diagnostic("QF606", "{what} {name!r} is not in {table}", DefinitionError)
OTHER_CLOCK = diagnostic(
    "QF607",
    "the label {label!r} is not on {clock}, the clock that {feature_set} decides on",
    DefinitionError,
    "list that bar rule under bar_types of the label",
)

_JOIN = ("venue", "symbol", "bar_clock", "bar_id")
_LABEL_COLUMNS = ("label", "label_end", "ret", "barrier", "cost", "weight", "quality")

_NO_TABLE = pl.DataFrame(
    schema={
        "table": pl.String,
        "rows": pl.Int64,
        "first": pl.Datetime("ns"),
        "last": pl.Datetime("ns"),
    }
)


class Reader:
    """Read the tables of one project."""

    def __init__(self, path: Path, project: str, parquet: Path | None = None) -> None:
        """Name the database file and, where there is one, the folder of the Parquet export."""
        self.path, self.project = Path(path), check_name(project, "project")
        self.parquet = Path(parquet) if parquet else self.path.parent.parent / "parquet"
        self.source = ""  # "duckdb" or "parquet": where the last answer came from
        self._held: Connection | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the file open between the calls of the block: opening it costs more than most ask.

        Errors: QF601, QF602, QF603.
        """
        before = self._held
        with self._open() as connection:
            self._held = connection
            try:
                yield
            finally:
                self._held = before

    def tables(self) -> dict[str, int]:
        """Return the number of rows of each table, by name. Errors: QF601, QF602, QF603."""
        with self._open() as connection:
            return catalog.row_counts(connection, catalog.tables_in(connection, self.project))

    def summary(self) -> pl.DataFrame:
        """Return table, rows, first and last instant at which a row was made. Errors: as tables."""
        with self._open() as connection:
            queries = []
            for name, schema in catalog.tables_in(connection, self.project).items():
                made = catalog.made_of(name)
                time = quoted(made) if made else "NULL::TIMESTAMP_NS"
                queries.append(
                    f'SELECT {literal(name)} AS "table", count(*) AS rows, '
                    f"min({time}) AS first, max({time}) AS last FROM {quoted(schema, name)}"
                )
            return _fetch(connection, " UNION ALL ".join(queries), []) if queries else _NO_TABLE

    def hash(
        self,
        table: str,
        where: Mapping[str, str | Sequence[str]] | None = None,
        span: tuple[int | None, int | None] = (None, None),
    ) -> str:
        """Return the hash of the rows that `frame` would return. Errors: QF605 and of `tables`."""
        with self._open() as connection:
            return catalog.hash_table(connection, self.project, table, where, span)

    def frame(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: Mapping[str, str | Sequence[str]] | None = None,
        span: tuple[int | None, int | None] = (None, None),
        limit: int | None = None,
    ) -> pl.DataFrame:
        """Return rows by key. `where`: text column to value(s); `span`: made in [start, end), ns.

        Errors: QF605 no such table, QF606 no such column, and those of `tables`.
        """
        with self._open() as connection:
            schema = catalog.schema_of(connection, self.project, table)
            place = quoted(schema, table)
            known = catalog.columns_at(connection, schema, table) if columns or where else {}
            for name in [*(columns or ()), *(where or ())]:
                if name not in known:
                    raise NO_SUCH(what="column", name=name, table=table, near=nearest(name, known))
            chosen = ", ".join(quoted(name) for name in columns) if columns else "*"
            parts, values = catalog.conditions(catalog.made_of(table), where or {}, span)
            conditions = " WHERE " + " AND ".join(parts) if parts else ""
            key = ", ".join(quoted(name) for name in catalog.key_of(table))
            query = f"SELECT {chosen} FROM {place}{conditions} ORDER BY {key}"
            if limit is not None:
                query += f" LIMIT {int(limit)}"
            return _fetch(connection, query, values)

    def bars(self, clock: str) -> pl.LazyFrame:
        """Return the bars of one clock, by key. Errors: QF606 and those of `tables`."""
        clocks: set[str] = set()
        for name in self.tables():
            if not (name.startswith("cdm_") and name.endswith("_bars")):
                continue
            frame = self.frame(name, where={"bar_clock": clock})
            if len(frame):
                return frame.lazy()
            clocks.update(self._values(name, "bar_clock"))
        raise NO_SUCH(what="the clock", name=clock, table="any table", near=nearest(clock, clocks))

    def labels(self, names: Sequence[str] | None = None) -> pl.LazyFrame:
        """Return labels, long. Errors: QF605, QF606."""
        self._check("cdm_labels", "label_name", names or ())
        where = {"label_name": list(names)} if names else None
        return self.frame("cdm_labels", where=where).lazy()

    def features(self, feature_set: str, form: str = "long") -> pl.LazyFrame:
        """Return a set's features: long, or wide with one column per feature and row per bar.

        In the wide form every clock's bars are rows; a feature is null on other clocks' rows.
        Errors: QF605, QF606.
        """
        self._check("features", "feature_set", (feature_set,))
        frame = self.frame("features", where={"feature_set": feature_set})
        if form == "long":
            return frame.lazy()
        names = frame["feature_name"].unique(maintain_order=True).sort().to_list()
        wide = frame.pivot(
            on="feature_name",
            on_columns=names,
            index=[*_JOIN, "feature_time"],
            values="value",
            maintain_order=True,
        )
        return wide.lazy()

    def vectors(self, feature_set: str) -> pl.LazyFrame:
        """Return the decision vectors of a set, by key. Errors: QF605."""
        return self.frame(f"{catalog.VECTORS}_{check_name(feature_set, 'feature set')}").lazy()

    def training_set(self, feature_set: str, labels: Sequence[str]) -> pl.LazyFrame:
        """Return the vectors whose labels are all known, with the labels beside them.

        A label gives the columns `<label>`, `<label>_end`, `<label>_ret`, `<label>_barrier`,
        `<label>_cost`, `<label>_weight` and `<label>_quality`. Errors: QF605, QF606, QF607.
        """
        joined = self.vectors(feature_set).collect()
        clocks = joined["bar_clock"].unique().to_list()
        long = self.labels(labels).collect()
        for name in labels:
            own = long.filter(pl.col("label_name") == name)
            if clocks and own.filter(pl.col("bar_clock").is_in(clocks)).is_empty():
                raise OTHER_CLOCK(label=name, clock=", ".join(clocks), feature_set=feature_set)
            columns = [
                pl.col(column).alias(f"{name}_{column}".replace(f"{name}_label", name))
                for column in _LABEL_COLUMNS
            ]
            joined = joined.join(
                own.select(*_JOIN, *columns), on=list(_JOIN), how="inner", maintain_order="left"
            )
        return joined.lazy()

    def sql(self, query: str, values: Sequence[object] = ()) -> pl.DataFrame:
        """Return what a query says about these tables; `values` fill its question marks.

        The schemas are <project>_cdm and <project>_feature. Errors: QF604.
        """
        with self._open() as connection:
            try:
                return _fetch(connection, query, values)
            except (duckdb.Error, QuantflowError) as failure:
                raise BAD_QUERY(why=str(failure).splitlines()[0]) from failure

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        if self._held is not None:
            yield self._held
            return
        connection = self._connect()
        try:
            with explained(self.path):
                yield connection
        finally:
            connection.close()

    def _connect(self) -> Connection:
        try:
            connection = open_reader(self.path)
            self.source = "duckdb"
        except QuantflowError as refused:
            if refused.code != "QF602" or not exported(self.project, self.parquet):
                raise
            connection = open_files(self.project, self.parquet)
            self.source = "parquet"
        return connection

    def _values(self, table: str, column: str) -> list[str]:
        with self._open() as connection:
            place = catalog.place_of(connection, self.project, table)
            query = f"SELECT DISTINCT {quoted(column)} FROM {place} ORDER BY 1"
            return [row[0] for row in connection.execute(query).fetchall()]

    def _check(self, table: str, column: str, names: Sequence[str]) -> None:
        known = self._values(table, column)
        for name in names:
            if name not in known:
                what = column.rpartition("_")[0] if column.endswith("name") else "the set"
                raise NO_SUCH(what=what, name=name, table=table, near=nearest(name, known))


def _fetch(connection: Connection, query: str, values: Sequence[object]) -> pl.DataFrame:
    found = connection.sql(query, params=list(values) or None)
    if found is None:
        return pl.DataFrame()
    frame = pl.from_arrow(found.to_arrow_table())
    assert isinstance(frame, pl.DataFrame)
    return frame.cast({name: _with_texts(kind) for name, kind in frame.schema.items()})


def _with_texts(kind: Any) -> Any:
    """Return the type with text where keys are numbered (key_texts.py)."""
    if isinstance(kind, (pl.Categorical, pl.Enum)):
        return pl.String()
    if isinstance(kind, pl.List):
        return pl.List(_with_texts(kind.inner))
    if isinstance(kind, pl.Struct):
        return pl.Struct({each.name: _with_texts(each.dtype) for each in kind.fields})
    return kind
