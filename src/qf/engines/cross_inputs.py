"""The rows that cross sets read of one symbol: those that are stored, or else made once more.

Stored rows are taken where a run has made all of them from the history's start on, by the machine.
Where some are missing (a run of a few days, no table of features, the Polars engine) the symbol's
tape goes through its program again, and nothing of that is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

from qf.compile import compile_kernels
from qf.engines.cross_rows import KINDS, Rows, Source
from qf.engines.ledger import Ledger
from qf.engines.symbol_plan import plan_symbol
from qf.engines.symbol_run import run_symbol
from qf.project.cross_model import MARKS
from qf.project.model import Project
from qf.schema_tables import Table
from qf.store.arrow import int_words
from qf.tape.prefix import prefix, row_at
from qf.tape.tape_file import TapeFile

Progress = Callable[[str, int, int, str], None]
Span = tuple[int | None, int | None]
Fetch = Callable[[Mapping[str, str], Span], Mapping[str, Any]]  # of a feature: what KINDS names
FEATURES, FUNDING = "features", "cdm_funding"


class RowTap:
    """Take what is written to `features` and published of contracts; let everything else go."""

    def __init__(self, take: Callable[..., None]) -> None:
        self._take = take

    def wants(self, table: Table) -> bool:
        """Say whether rows of a table are taken."""
        return table.name in (FEATURES, FUNDING)

    def write(self, table: Table, columns: Mapping[str, Any], **constants: str) -> None:
        """Take rows."""
        if table.name == FEATURES:
            self._take(columns, **constants)
        elif table.name == FUNDING:
            for name in MARKS:
                published = Source(constants["symbol"], "", "", name)
                self._take(_mark_rows(columns, name), **constants | published.constants)


def _mark_rows(columns: Mapping[str, Any], name: str) -> Rows:
    """Return one published column of a contract as rows of a feature."""
    values = columns[name]
    if not isinstance(values, np.ndarray):
        values = values.to_numpy(zero_copy_only=False)
    return {
        "bar_id": int_words(columns["seq"]),
        "feature_time": int_words(columns["processed_time"]),
        "value": np.asarray(values, np.float64),
        "quality": np.zeros(len(values), np.int64),
    }


def mark_rows(tape: TapeFile, name: str, end: int | None) -> Rows:
    """Return what a tape carries of one published column before `end`."""
    parts = [_mark_rows(_columns(batch), name) for batch in tape.table("funding", None, end)]
    return {
        each: np.concatenate([np.zeros(0, kind), *(part[each] for part in parts)])
        for each, kind in KINDS.items()
    }


def _columns(batch: Any) -> dict[str, Any]:
    return {name: batch.column(name) for name in batch.schema.names}


class StoredInputs:
    """Rows of one symbol as they are stored; `fetch` reads them."""

    def __init__(self, fetch: Fetch, tape: TapeFile) -> None:
        self._fetch, self._tape = fetch, tape
        self._where = {"venue": tape.instrument.venue, "symbol": tape.instrument.symbol}

    def rows(self, each: Source, end: int | None) -> Rows:
        """Return a feature's rows made before `end`."""
        if each.published:
            return mark_rows(self._tape, each.feature_name, end)
        found = self._fetch({**self._where, **each.constants}, (None, end))
        return {name: np.asarray(found[name]).astype(kind) for name, kind in KINDS.items()}


class MadeInputs:
    """Rows of one symbol as its program makes them, all at once."""

    def __init__(self, project: Project, tape: TapeFile, end: int | None, report: Progress) -> None:
        planned = plan_symbol(project, tape.instrument, tape.continuity, {FEATURES})
        compile_kernels(planned.plan.ops(), report)
        self._parts: dict[Source, list[Rows]] = {}
        self._tape = tape
        run_symbol(project, tape, planned, RowTap(self._keep), end, report)

    def rows(self, each: Source, end: int | None) -> Rows:
        """Return a feature's rows; they were made up to `end`."""
        if each.published:
            return mark_rows(self._tape, each.feature_name, end)
        parts = self._parts.get(each, [])
        return {
            name: np.concatenate([np.zeros(0, kind), *(part[name] for part in parts)])
            for name, kind in KINDS.items()
        }

    def _keep(self, columns: Mapping[str, Any], **constants: str) -> None:
        key = Source(**{name: constants[name] for name in Source._fields})
        part = {name: np.array(columns[name], kind) for name, kind in KINDS.items()}
        self._parts.setdefault(key, []).append(part)


def inputs_of(
    project: Project,
    tape: TapeFile,
    inputs: Iterable[Source],
    end: int | None,
    stored: tuple[Ledger, Fetch] | None,
    report: Progress,
) -> StoredInputs | MadeInputs:
    """Return where the inputs' rows before `end` come from; `stored` is where a run has put them.

    None: a run of other rules did, so they are made. Errors: of `run_symbol`.
    """
    if stored is not None and _all_stored(project, tape, stored[0], inputs, end):
        return StoredInputs(stored[1], tape)
    return MadeInputs(project, tape, end, report)


def _all_stored(
    project: Project,
    tape: TapeFile,
    ledger: Ledger,
    inputs: Iterable[Source],
    end: int | None,
) -> bool:
    """Say whether every row of the inputs is stored, from the history's start up to `end`."""
    marks = cache(lambda row: prefix(tape, row))
    first = row_at(tape, project.history_start_ns, 0)
    last = max(first, row_at(tape, end, tape.rows))
    for each in (each for each in inputs if not each.published):
        part = f"{FEATURES}/{each.bar_clock}/{each.feature_set}/{each.feature_name}"
        entry = ledger.parts.get(part)
        spans = [] if entry is None else ledger.valid(part, entry.key, marks)
        if not any(span.first <= first and span.last >= last for span in spans):
            return False
    return True
