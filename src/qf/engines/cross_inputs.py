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
from qf.engines.cross_rows import KINDS, Rows
from qf.engines.ledger import Ledger
from qf.engines.symbol_plan import plan_symbol
from qf.engines.symbol_run import run_symbol
from qf.project.model import Project
from qf.schema_tables import Table
from qf.tape.prefix import prefix, row_at
from qf.tape.tape_file import TapeFile

Input = tuple[str, str, str, str]  # symbol, bar clock, feature set, feature
Progress = Callable[[str, int, int, str], None]
Span = tuple[int | None, int | None]
Fetch = Callable[[Mapping[str, str], Span], Mapping[str, Any]]  # of a feature: what KINDS names
FEATURES = "features"


class RowTap:
    """Take what is written to `features`, as a writer does, and let everything else go."""

    def __init__(self, take: Callable[..., None]) -> None:
        self._take = take

    def wants(self, table: Table) -> bool:
        """Say whether rows of a table are taken."""
        return table.name == FEATURES

    def write(self, table: Table, columns: Mapping[str, Any], **constants: str) -> None:
        """Take rows."""
        if table.name == FEATURES:
            self._take(columns, **constants)


class StoredInputs:
    """Rows of one symbol as they are stored; `fetch` reads them."""

    def __init__(self, fetch: Fetch, tape: TapeFile) -> None:
        self._fetch = fetch
        self._where = {"venue": tape.instrument.venue, "symbol": tape.instrument.symbol}

    def rows(self, each: Input, end: int | None) -> Rows:
        """Return a feature's rows made before `end`."""
        names = dict(zip(("bar_clock", "feature_set", "feature_name"), each[1:], strict=True))
        found = self._fetch({**self._where, **names}, (None, end))
        return {name: np.asarray(found[name]).astype(kind) for name, kind in KINDS.items()}


class MadeInputs:
    """Rows of one symbol as its program makes them, all at once."""

    def __init__(self, project: Project, tape: TapeFile, end: int | None, report: Progress) -> None:
        planned = plan_symbol(project, tape.instrument, tape.continuity, {FEATURES})
        compile_kernels(planned.plan.ops(), report)
        self._parts: dict[tuple[str, ...], list[Rows]] = {}
        run_symbol(project, tape, planned, RowTap(self._keep), end, report)

    def rows(self, each: Input, end: int | None) -> Rows:
        """Return a feature's rows; they were made up to `end`."""
        parts = self._parts.get(each[1:], [])
        return {
            name: np.concatenate([np.zeros(0, kind), *(part[name] for part in parts)])
            for name, kind in KINDS.items()
        }

    def _keep(self, columns: Mapping[str, Any], **constants: str) -> None:
        key = tuple(constants[name] for name in ("bar_clock", "feature_set", "feature_name"))
        part = {name: np.array(columns[name], kind) for name, kind in KINDS.items()}
        self._parts.setdefault(key, []).append(part)


def all_stored(
    project: Project,
    tape: TapeFile,
    ledger: Ledger,
    inputs: Iterable[Input],
    end: int | None,
) -> bool:
    """Say whether every row of the inputs is stored, from the history's start up to `end`."""
    marks = cache(lambda row: prefix(tape, row))
    first = row_at(tape, project.history_start_ns, 0)
    last = max(first, row_at(tape, end, tape.rows))
    for _, clock, name, feature in inputs:
        entry = ledger.parts.get(f"{FEATURES}/{clock}/{name}/{feature}")
        spans = (
            []
            if entry is None
            else ledger.valid(f"{FEATURES}/{clock}/{name}/{feature}", entry.key, marks)
        )
        if not any(span.first <= first and span.last >= last for span in spans):
            return False
    return True
