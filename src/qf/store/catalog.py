"""What is in a file: which tables of a project, with which columns, and how they are made.

Shared by the owner and the readers. A table that exists with other columns than its definition is
made anew, and said so: rows of two definitions never stand in one table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from qf.errors import DefinitionError, diagnostic, nearest
from qf.schema_records import RECORDS
from qf.schema_tables import TABLES, Table, check_name
from qf.store.connect import Connection, literal, quoted, where_is
from qf.store.hashing import hash_batches
from qf.store.key_texts import is_enum, numbered

UNKNOWN_TABLE = diagnostic("QF605", "the project {project} has no table {name!r}", DefinitionError)

AREAS = ("cdm", "feature")
VECTORS = "feature_vectors"
REGIME_CODES = "regime_codes"  # a view, as VECTORS is: neither holds results of its own
PROGRESS = "qf_progress"
Shapes = dict[tuple[str, str], dict[str, str]]  # by schema and name: a table's columns, and types


def schemas(project: str) -> tuple[str, ...]:
    """Return the names of a project's schemas. Errors: QF600."""
    check_name(project, "project")
    return tuple(f"{project}_{area}" for area in AREAS)


def tables_in(connection: Connection, project: str) -> dict[str, str]:
    """Return the project's tables that exist, but the store's own notes: name to schema."""
    here = f"database_name = current_database() AND schema_name IN ({_schema_texts(project)})"
    found = connection.execute(
        f"SELECT table_name AS name, schema_name FROM duckdb_tables() WHERE {here} "
        f"UNION ALL SELECT view_name AS name, schema_name FROM duckdb_views() WHERE {here}"
    ).fetchall()
    return dict(sorted(row for row in found if row[0] not in (VECTORS, PROGRESS, REGIME_CODES)))


def has_progress(connection: Connection, project: str) -> bool:
    """Say whether a run has left notes for the next."""
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() "
        f"AND schema_name IN ({_schema_texts(project)}) AND table_name = {literal(PROGRESS)}"
    ).fetchall()
    return bool(found)


def shapes(connection: Connection, project: str) -> Shapes:
    """Return, by schema and name, the columns in order of every table: name to type.

    One question for all tables: DuckDB looks through everything it holds to answer for one.
    """
    found = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal AND database_name = current_database() "
        f"AND schema_name IN ({_schema_texts(project)}) ORDER BY column_index"
    ).fetchall()
    known: Shapes = {}
    for schema, name, column, kind in found:
        known.setdefault((schema, name), {})[column] = kind
    return known


def columns_at(connection: Connection, schema: str, name: str) -> dict[str, str]:
    """Return the columns in order of a table that exists: name to type."""
    place = literal(quoted(schema, name))
    return dict(
        connection.execute(
            f"SELECT name, type FROM pragma_table_info({place}) ORDER BY cid"
        ).fetchall()
    )


def _schema_texts(project: str) -> str:
    return ", ".join(map(literal, schemas(project)))


def schema_of(connection: Connection, project: str, name: str) -> str:
    """Return the schema of an existing table. Errors: QF605."""
    known = tables_in(connection, project)
    if name not in known:
        raise UNKNOWN_TABLE(project=project, name=name, near=nearest(name, known))
    return known[name]


def place_of(connection: Connection, project: str, name: str) -> str:
    """Return the quoted schema and name of an existing table. Errors: QF605."""
    return quoted(schema_of(connection, project, name), name)


def ensure(connection: Connection, project: str, table: Table, known: Shapes) -> str:
    """Make the table if it is absent or has other columns; return a sentence in the latter case.

    `known` is what `shapes` said, and says of the table what is true afterwards.
    """
    place = (f"{project}_{table.area}", table.name)
    want = {field.name: field.type for field in table.fields}
    have = known.get(place, {})
    texts = set(numbered(table))
    plain = {n: "VARCHAR" if n in texts and is_enum(kind) else kind for n, kind in have.items()}
    if list(plain.items()) == list(want.items()):
        return ""
    create(connection, project, table)
    known[place] = want
    if not have:
        return ""
    gone, new = sorted(set(have) - set(want)), sorted(set(want) - set(have))
    changes = [f"without {', '.join(gone)}"] * bool(gone) + [f"with {', '.join(new)}"] * bool(new)
    why = " and ".join(changes) or "its columns changed"
    return f"{table.name} was made anew ({why}): what it held is gone"


def create(connection: Connection, project: str, table: Table) -> None:
    """Make the table, empty, in place of what has its name."""
    place = where_is(table, project)
    columns = ", ".join(f"{quoted(field.name)} {_type(field.type)}" for field in table.fields)
    connection.execute(f"CREATE OR REPLACE TABLE {place} ({columns})")
    connection.execute(f"COMMENT ON TABLE {place} IS {literal(table.meaning)}")


def refresh_views(connection: Connection, project: str) -> None:
    """Let `feature_vectors` be the one set's vectors while there is one set, else be absent."""
    schema = f"{project}_feature"
    sets = [name for name in tables_in(connection, project) if name.startswith(VECTORS + "_")]
    if len(sets) == 1:
        source = quoted(schema, sets[0])
        connection.execute(
            f"CREATE OR REPLACE VIEW {quoted(schema, VECTORS)} AS SELECT * FROM {source}"
        )
    else:
        connection.execute(f"DROP VIEW IF EXISTS {quoted(schema, VECTORS)}")


def stream(
    connection: Connection, query: str, values: Sequence[object] = (), rows: int = 122_880
) -> pa.RecordBatchReader:
    """Return a query's result in batches."""
    return connection.sql(query, params=list(values)).to_arrow_reader(rows)


def hash_table(
    connection: Connection,
    project: str,
    name: str,
    where: Mapping[str, str | Sequence[str]] | None = None,
    span: tuple[int | None, int | None] = (None, None),
) -> str:
    """Return the hash of a table's content, or of its rows as `conditions` has them.

    Errors: QF605.
    """
    parts, values = conditions(made_of(name), where or {}, span)
    chosen = " WHERE " + " AND ".join(parts) if parts else ""
    query = f"SELECT * FROM {place_of(connection, project, name)}{chosen}"
    reader = stream(connection, query, values)
    return hash_batches(reader.schema, reader)


def row_counts(connection: Connection, tables: Mapping[str, str]) -> dict[str, int]:
    """Return how many rows each of some tables has, in one question; `tables`: name to schema."""
    asked = [
        f"SELECT {literal(name)}, count(*) FROM {quoted(schema, name)}"
        for name, schema in tables.items()
    ]
    if not asked:
        return {}
    counts = dict(connection.execute(" UNION ALL ".join(asked)).fetchall())
    return {name: counts[name] for name in tables}


def stored_tables(connection: Connection, project: str) -> Iterator[str]:
    """Yield the names of the tables that hold results: all but the record of the runs."""
    yield from (name for name in tables_in(connection, project) if name not in RECORDS)


def key_of(name: str) -> tuple[str, ...]:
    """Return the key of a table by its name."""
    if name in TABLES:
        return TABLES[name].key
    return ("venue", "symbol", "bar_clock", "bar_id")


def made_of(name: str) -> str:
    """Return the time column that ranges of a table are cut on; "" where there is none."""
    return TABLES[name].made if name in TABLES else "feature_time"


def conditions(
    made: str, where: Mapping[str, str | Sequence[str]], span: tuple[int | None, int | None]
) -> tuple[list[str], list[object]]:
    """Return the conditions for text columns and for rows made in [start, end), and their values.

    `made` is the column that the range cuts, "" where none does.
    """
    parts: list[str] = []
    values: list[object] = []
    for bound, sign in zip(span, (">=", "<"), strict=True):
        if bound is not None and made:
            parts.append(f"{quoted(made)} {sign} make_timestamp_ns(?)")
            values.append(int(bound))
    for name, wanted in where.items():
        parts.append(f"list_contains(?, {quoted(name)})")
        values.append([wanted] if isinstance(wanted, str) else list(wanted))
    return parts, values


def _type(kind: str) -> str:
    assert kind in {"BIGINT", "DOUBLE", "BOOLEAN", "VARCHAR", "TIMESTAMP_NS", "DOUBLE[]"}, kind
    return kind
