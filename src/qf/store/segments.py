"""The tables as Parquet files: what readers use while a run owns the database.

    <folder>/<schema>/<table>/<venue>_<symbol>_<run>.parquet      rows of one table and symbol
    <folder>/<project>.json                                       which files make up which table

A run that only adds rows adds a file; one that rewrites a symbol's rows replaces its files. The
list of files is replaced in one step when all of them are on disk, after the database's commit.
It says which run each table was last written by, so a run that was killed between the two is made
good by the next: where the list lags behind the database, that symbol's rows are exported anew.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from qf.schema_tables import Table
from qf.store import catalog
from qf.store.connect import Connection, literal, quoted

COMPRESSION = "lz4"
MOST_FILES = 64  # of one table and symbol; then they become one

RUNS = "qf_runs"

Place = tuple[str, str, str]  # table, venue, symbol


@dataclass(frozen=True)
class Version:
    """Which run wrote a table's rows of a symbol last, and how."""

    run: str
    before: str = ""  # the run before, if this one only added rows
    whole: bool = False  # this one wrote every row there is


class Segments:
    """The Parquet files of one run, beside the database's transaction."""

    def __init__(self, folder: Path, project: str, run: str) -> None:
        self._folder, self._project, self._run = Path(folder), project, run
        self._open: dict[Place, tuple[Path, pq.ParquetWriter]] = {}
        self._adopted: dict[Place, Path] = {}
        self._wanted: set[Place] = set()

    def want(self, table: str, venue: str, symbol: str) -> None:
        """Say that what is written of a table and symbol makes a file by itself."""
        self._wanted.add((table, venue, symbol))

    def add(self, table: Table, venue: str, symbol: str, batches: list[pa.RecordBatch]) -> None:
        """Append rows to the file of a table and symbol."""
        place = (table.name, venue, symbol)
        if place not in self._wanted or not batches:
            return
        if place not in self._open:
            path = self._path(table, venue, symbol)
            self._open[place] = (path, open_segment(path, batches[0].schema))
        for batch in batches:
            self._open[place][1].write_batch(batch)

    def adopt(self, table: Table, venue: str, symbol: str, spool: Path) -> Path:
        """Give a file of a table and symbol that a worker has written its place, where wanted.

        Return where it is now.
        """
        place = (table.name, venue, symbol)
        if place not in self._wanted:
            return spool
        self._adopted[place] = self._path(table, venue, symbol)
        os.replace(spool, self._adopted[place])
        return self._adopted[place]

    def _path(self, table: Table, venue: str, symbol: str) -> Path:
        schema = f"{self._project}_{table.area}"
        path = self._folder / schema / table.name / _file(venue, symbol, self._run)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def discard(self) -> None:
        """Remove what was written: the transaction failed."""
        for path in self._adopted.values():
            path.unlink(missing_ok=True)
        self._adopted = {}
        for path, writer in self._open.values():
            writer.close()
            path.unlink(missing_ok=True)
        self._open = {}

    def publish(self, connection: Connection, versions: Mapping[Place, Version]) -> None:
        """Let the list of files say what the database holds now."""
        listed = read_list(self._folder, self._project)
        made: dict[Place, Path] = {}
        for place, (path, writer) in self._open.items():
            writer.close()
            sync(path)
            made[place] = path
        for place, path in self._adopted.items():
            sync(path)
            made[place] = path
        self._open, self._adopted = {}, {}
        known = catalog.tables_in(connection, self._project)
        tables: dict[str, dict[str, Any]] = {}
        for place, version in versions.items():
            name, venue, symbol = place
            if name not in known:
                continue
            entry = tables.setdefault(name, {"schema": known[name], "rows": {}})
            old = listed.get(name, {}).get("rows", {}).get(f"{venue}/{symbol}")
            files = self._files(old, version, made.get(place))
            if files is None:
                files = [self._export(connection, known[name], place, version.run)]
            entry["rows"][f"{venue}/{symbol}"] = {"run": version.run, "files": files}
        if tables == {name: entry for name, entry in listed.items() if name != RUNS}:
            return
        if RUNS in known and RUNS not in tables:
            path = self._export(connection, known[RUNS], (RUNS, "", ""), self._run)
            rows = {"/": {"run": self._run, "files": [path]}}
            tables[RUNS] = {"schema": known[RUNS], "rows": rows}
        _write_list(self._folder, self._project, tables)
        self._sweep(tables)

    def _files(
        self, old: Mapping[str, Any] | None, version: Version, made: Path | None
    ) -> list[str] | None:
        """Return the files that make up the rows; None where they must be exported anew."""
        if old is not None and old["run"] == version.run:
            return list(old["files"])
        if version.run != self._run:
            return None
        own = [made.relative_to(self._folder).as_posix()] if made else []
        if version.whole and own:
            return own
        if old is not None and version.before and old["run"] == version.before:
            return None if len(old["files"]) >= MOST_FILES else [*old["files"], *own]
        return None

    def _export(self, connection: Connection, schema: str, place: Place, run: str) -> str:
        name, venue, symbol = place
        path = self._folder / schema / name / _file(venue, symbol, f"{run}_all")
        path.parent.mkdir(parents=True, exist_ok=True)
        key = ", ".join(quoted(column) for column in catalog.key_of(name))
        where = " WHERE venue = ? AND symbol = ?" if venue else ""
        query = f"SELECT * FROM {quoted(schema, name)}{where} ORDER BY {key}"
        reader = catalog.stream(connection, query, [venue, symbol] if venue else [])
        with open_segment(path, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        sync(path)
        return path.relative_to(self._folder).as_posix()

    def _sweep(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Remove files that the list does not name: replaced ones, and those of killed runs."""
        named = {
            file
            for entry in tables.values()
            for rows in entry["rows"].values()
            for file in rows["files"]
        }
        for schema in catalog.schemas(self._project):
            for path in (self._folder / schema).rglob("*.parquet"):
                if path.relative_to(self._folder).as_posix() not in named:
                    path.unlink(missing_ok=True)


def read_list(folder: Path, project: str) -> dict[str, dict[str, Any]]:
    """Return the list of files: table to its schema and, per symbol, run and files."""
    try:
        found = json.loads((Path(folder) / f"{project}.json").read_text())
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def _write_list(folder: Path, project: str, tables: Mapping[str, Any]) -> None:
    beside = folder / f".{project}.{os.getpid()}.json"
    beside.write_text(json.dumps(tables, indent=1, sort_keys=True))
    sync(beside)
    os.replace(beside, folder / f"{project}.json")
    sync(folder)


def _file(venue: str, symbol: str, run: str) -> str:
    """Return a file's name, whatever letters a symbol has."""
    words = [
        part.encode().hex() if re.search(r"[^A-Za-z0-9]", part) else part
        for part in (symbol,)
        if part
    ]
    return "_".join([*([venue] if venue else []), *words, run]) + ".parquet"


def open_segment(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Return what writes a file that readers of the tables take."""
    texts: Any = [
        field.name
        for field in schema
        if not pa.types.is_primitive(field.type) and not pa.types.is_list(field.type)
    ]
    return pq.ParquetWriter(
        path, schema, compression=COMPRESSION, use_dictionary=texts or False, store_schema=False
    )


def sync(path: Path) -> None:
    """Return when a file's content, or a folder's list, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def versions_in(ledgers: Iterable[tuple[str, str, Mapping[str, Any]]]) -> dict[Place, Version]:
    """Return what the ledgers say was written last of every table."""
    found = {}
    for venue, symbol, ledger in ledgers:
        for table, told in ledger.get("wrote", {}).items():
            found[table, venue, symbol] = Version(**told)
    return found


def exported(project: str, folder: Path) -> dict[str, tuple[Path, ...]]:
    """Return the tables that have been written: name to files."""
    folder = Path(folder)
    return {
        name: tuple(folder / file for rows in entry["rows"].values() for file in rows["files"])
        for name, entry in read_list(folder, project).items()
    }


def forget_files(project: str, folder: Path) -> None:
    """Remove the files of a project, and first the list that readers go by."""
    found = exported(project, folder)
    (Path(folder) / f"{project}.json").unlink(missing_ok=True)
    for path in (path for paths in found.values() for path in paths):
        path.unlink(missing_ok=True)


def open_files(project: str, folder: Path) -> Connection:
    """Return a database in memory whose tables are the files, locked down to reading them."""
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    for schema in catalog.schemas(project):
        connection.execute(f"CREATE SCHEMA {quoted(schema)}")
    listed, allowed = read_list(folder, project), []
    for name, paths in exported(project, folder).items():
        texts = [literal(str(path.resolve())) for path in paths]
        place = quoted(listed[name]["schema"], name)
        query = f"SELECT * FROM read_parquet([{', '.join(texts)}])"
        connection.execute(f"CREATE VIEW {place} AS {query}")
        allowed += texts
    catalog.refresh_views(connection, project)
    connection.execute(f"SET allowed_paths = [{', '.join(allowed)}]")
    for setting in ("enable_external_access = false", "lock_configuration = true"):
        connection.execute(f"SET {setting}")
    return connection
