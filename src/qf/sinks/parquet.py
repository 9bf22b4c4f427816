"""parquet: every table as Parquet files, one per symbol and epoch, read by DuckDB while it runs.

The file of the epoch in hand is shown early and replaced by the whole one when the epoch ends;
it keeps its name. Options: tables (default: all).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from qf.schema_tables import Table
from qf.sinks.sink import Job, Outside, chosen
from qf.store.arrow import batch_of, count_rows
from qf.store.live_files import Draft, file_of, list_bytes

FOLDER = "tables"
# More rows than these wait for the end of their epoch before they are shown.
SHOWN_ROWS = 20_000

Place = tuple[str, str, str]  # table, venue, symbol


class ParquetSink:
    """Gather an epoch's rows and write them as files."""

    TYPE: ClassVar[str] = "parquet"
    OPTIONS: ClassVar[tuple[str, ...]] = ("tables",)
    PROMPT: ClassVar[bool] = False

    def __init__(self, name: str, outside: Outside, options: Mapping[str, Any]) -> None:
        self.name, self._outside = name, outside
        self._only = options.get("tables")
        self._position = 0
        self._rows = 0
        self._tables: dict[str, Table] = {}
        self._waiting: dict[Place, dict[tuple[str, ...], list[Any]]] = {}
        self._files: dict[str, dict[str, list[str]]] = {}  # area.table -> venue/symbol -> files
        self._shown: dict[Place, int] = {}  # batches of the epoch that its file holds already
        self._listed = False  # whether the list on the disk names all of them

    def wants(self, table: Table) -> bool:
        """Say whether the sink takes rows of a table."""
        return self._only is None or chosen(table, self._only)

    def write(self, table: Table, columns: Mapping[str, Any], **constants: str) -> None:
        """Take rows, as the store's writer does."""
        rows = count_rows(table, columns)
        if not rows:
            return
        self._tables[table.name] = table
        place = (table.name, constants["venue"], constants["symbol"])
        part = tuple(constants[name] for name in sorted(constants))
        batch = batch_of(table, columns, constants, rows)
        self._waiting.setdefault(place, {}).setdefault(part, []).append(batch)
        self._rows += rows

    def flush(self) -> None:
        """Do nothing: rows come once an epoch."""

    def show(self) -> list[Job]:
        """Write the rows so far, where they are few; the epoch's end replaces the files."""
        if not self._rows or self._rows > SHOWN_ROWS:
            return []
        jobs: list[Job] = []
        for place, parts in self._waiting.items():
            batches = sum(map(len, parts.values()))
            if self._shown.get(place) != batches:
                jobs += self._jobs(place, parts, self._position)
                jobs.append(partial(self._shown.__setitem__, place, batches))
        jobs.append(self._write_list)
        return [partial(self._if_in_hand, self._position, job) for job in jobs]

    def _if_in_hand(self, position: int, job: Job) -> None:
        """Do a job of showing; once the epoch has ended its whole files stand under the names."""
        if position == self._position:
            job()

    def roll(self, position: int) -> list[Job]:
        """End the epoch: jobs for each file, then one for the list."""
        waiting, at = self._waiting, self._position
        self._waiting, self._rows, self._position = {}, 0, position
        self._shown = {}
        jobs = [job for place, parts in waiting.items() for job in self._jobs(place, parts, at)]
        return [*jobs, self._write_list]

    def state(self) -> dict[str, Any]:
        """Return which files there are."""
        return {"files": self._files}

    def restore(self, state: Mapping[str, Any], position: int) -> None:
        """Go on where `state` was taken; later files are written again under their names."""
        self._position = position
        for name, rows in state.get("files", {}).items():
            self._files[name] = {where: list(files) for where, files in rows.items()}

    def settle(self) -> None:
        """Do nothing: a file is replaced whole, and what the list does not name is not there."""

    def _jobs(self, place: Place, parts: Mapping[tuple[str, ...], list[Any]], at: int) -> list[Job]:
        """Return what makes a file of the rows there are now: a row group a job, then the file."""
        draft = Draft(self._tables[place[0]], [parts[key] for key in sorted(parts)])
        return [*[draft.step] * (draft.steps - 1), lambda: self._write(place, draft, at)]

    def _write(self, place: Place, draft: Draft, at: int) -> None:
        table, where = self._tables[place[0]], place[1:]
        path = file_of(table, self._outside.project, where, at)
        self._outside.disk.write(f"{FOLDER}/{path}", draft.finish())
        rows = self._files.setdefault(f"{table.area}.{table.name}", {})
        files = rows.setdefault("/".join(where), [])
        if path not in files[-2:]:  # the epoch in hand may be shown before the one before is done
            files.append(path)
            files.sort()
            self._listed = False

    def _write_list(self) -> None:
        if not self._listed:
            project = self._outside.project
            data = list_bytes(project, self._files)
            self._outside.disk.write(f"{FOLDER}/{project}.json", data)
            self._listed = True
