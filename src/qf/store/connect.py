"""Open the DuckDB file: to write, as its one owner, or to read, hardened.

Only this folder knows DuckDB. Identifiers pass through `quoted`, which takes none that is not
made of letters, digits and underscores; values are bound, or texts made by `literal`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from qf.errors import QuantflowError, RunError, diagnostic
from qf.schema_tables import Table, check_name

NO_DATABASE = diagnostic(
    "QF601", "there is no database at {path}", RunError, "make one with: qf run"
)
BUSY = diagnostic(
    "QF602",
    "the database {path} is open in {owner}",
    RunError,
    "wait until it has finished, or stop it",
)
BROKEN = diagnostic(
    "QF603",
    "the database {path} cannot be used: {why}",
    RunError,
    "free some room if the disk is full; else move the file away, and qf run makes it anew",
)
BAD_QUERY = diagnostic("QF604", "the query was refused: {why}")

Connection = duckdb.DuckDBPyConnection

# No file, no network, no extension: what a query may do is read this database.
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


def quoted(*names: str) -> str:
    """Return `"a"."b"` for names that are identifiers. Errors: QF600."""
    return ".".join(f'"{check_name(name, "table or column")}"' for name in names)


def literal(text: str) -> str:
    """Return a text as SQL writes it, where a statement takes no bound value."""
    return "'" + text.replace("'", "''") + "'"


def where_is(table: Table, project: str) -> str:
    """Return the quoted schema and name of a table in a project."""
    return quoted(f"{project}_{table.area}", table.name)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what DuckDB raises into an error with a code. Errors: QF602, QF603."""
    try:
        yield
    except duckdb.Error as failure:
        raise _cause(path, failure) from failure


def open_writer(path: Path, memory_mb: int) -> Connection:
    """Open the file as its owner, making it if absent. Errors: QF602, QF603.

    DuckDB works in the thread that asks. With threads of its own, what a statement leaves of a row
    group stays a group by itself, and the commit packs all groups again. A full row group is packed
    at once: left to the commit, it would be packed when nothing else is to be done any more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {
        **_CLOSED,
        "memory_limit": f"{int(memory_mb)}MB",
        "threads": "1",
        "write_buffer_row_group_count": "1",
        "temp_directory": str(path.with_name(path.name + ".tmp")),
    }
    with explained(path):
        connection = duckdb.connect(str(path), config=config)
        with suppress(duckdb.Error):  # a build without time zones has no such setting
            connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        return connection


def open_reader(path: Path) -> Connection:
    """Open the file read-only and locked down. Errors: QF601, QF602, QF603."""
    if not path.exists():
        raise NO_DATABASE(path=path)
    with explained(path):
        connection = duckdb.connect(str(path), read_only=True, config=dict(_CLOSED))
        connection.execute("SET lock_configuration = true")
        return connection


def _cause(path: Path, failure: duckdb.Error) -> QuantflowError:
    text = str(failure).splitlines()[0]
    pid = re.search(r"PID (\d+)", str(failure))
    if pid or "Conflicting lock" in text:
        owner = f"process {pid.group(1)}" if pid else "another process"
        return BUSY(path=path, owner=owner)
    if isinstance(failure, duckdb.ConnectionException) and "different configuration" in text:
        return BUSY(path=path, owner="this process")
    return BROKEN(path=path, why=text)
