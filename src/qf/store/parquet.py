"""Every table as a Parquet file: what readers use while a run owns the database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from qf.store import catalog
from qf.store.connect import Connection, quoted


def export(connection: Connection, project: str, folder: Path) -> tuple[Path, ...]:
    """Write every table; each file appears whole or not at all."""
    written = []
    for name, schema in catalog.tables_in(connection, project).items():
        path = Path(folder) / schema / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{name}.{os.getpid()}.parquet")
        key = ", ".join(quoted(column) for column in catalog.key_of(name))
        query = f"SELECT * FROM {quoted(schema, name)} ORDER BY {key}"
        try:
            _write(connection, query, beside)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        written.append(path)
    return tuple(written)


def exported(project: str, folder: Path) -> dict[str, Path]:
    """Return the tables that have been written: name to file."""
    found = [
        path
        for schema in catalog.schemas(project)
        for path in sorted((Path(folder) / schema).glob("[!.]*.parquet"))
    ]
    return {path.stem: path for path in found}


def open_files(project: str, files: Mapping[str, Path]) -> Connection:
    """Return a database in memory whose tables are the files, locked down to reading them."""
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    for schema in catalog.schemas(project):
        connection.execute(f"CREATE SCHEMA {quoted(schema)}")
    for name, path in files.items():
        place = quoted(path.parent.name, name)
        text = catalog.literal(str(path.resolve()))
        connection.execute(f"CREATE VIEW {place} AS SELECT * FROM read_parquet({text})")
    catalog.refresh_views(connection, project)
    allowed = ", ".join(catalog.literal(str(path.resolve())) for path in files.values())
    connection.execute(f"SET allowed_paths = [{allowed}]")
    for setting in ("enable_external_access = false", "lock_configuration = true"):
        connection.execute(f"SET {setting}")
    return connection


def _write(connection: Connection, query: str, path: Path) -> None:
    reader = catalog.stream(connection, query)
    with open(path, "wb") as file:
        with pq.ParquetWriter(file, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())
