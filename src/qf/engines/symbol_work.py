"""One symbol's share of a run, without the database: what is missing is decided, made and counted.

1. intent: which parts must be made of which rows, so which stored rows they replace
2. make: the tape's own tables are copied, the machine's parts computed (symbol_run.py); the rows go
   to a writer, which may be the database or a spool of files
3. done: the rows of qf_runs, what the next run goes on from, and what the user should know

Intent and done are plain values: they cross from a worker to the owner of the database as JSON
(job.py), and symbol_change.py carries them out there. The state at the end goes to its file here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from qf.clock import parse_time
from qf.compile import compile_kernels
from qf.engines.account import warnings_of
from qf.engines.ledger import Covered, Ledger, Rows
from qf.engines.parts import ACCOUNTING, SIDE_TABLES, Part, parts_of, root_name
from qf.engines.run_result import SymbolResult
from qf.engines.run_words import older_rows, told
from qf.engines.state_files import KEPT, StateFiles
from qf.engines.symbol_plan import plan_symbol
from qf.engines.symbol_run import Need, Progress, SymbolRun
from qf.engines.vector_join import FeatureRows
from qf.pieces import Names, Pieces, merge
from qf.project.model import Project
from qf.schema import NULL_INT
from qf.schema_records import PART_COLUMNS
from qf.schema_tables import TABLES
from qf.store.change import RunWriter
from qf.tape.instruments import Instrument
from qf.tape.prefix import frames_between
from qf.tape.tables import TABLES as TAPE_TABLES
from qf.tape.tape_file import TapeFile

INSTRUMENTS = TABLES["instruments"]


@dataclass(frozen=True)
class Asked:
    """What a run was asked for."""

    run_id: str
    span: tuple[int | None, int | None]
    groups: frozenset[str]
    engine: str
    force: bool
    everything: bool  # all stages of all symbols


@dataclass(frozen=True)
class Clear:
    """Rows of one table made in [start, end), ns, of some parts: they make room for new ones."""

    table: str
    parts: list[dict[str, str]]
    span: tuple[int | None, int | None]


@dataclass(frozen=True)
class Intent:
    """What a symbol's new rows will replace, and the tables that get some."""

    venue: str
    symbol: str
    clears: list[Clear] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)  # empty: everything is kept


@dataclass
class Done:
    """What was made of a symbol; `ledger` is None where everything was kept."""

    result: SymbolResult
    log: list[dict[str, Any]] = field(default_factory=list)
    ledger: dict[str, Any] | None = None


class SymbolWork:
    """Decide what is missing of one symbol, make it, account for it."""

    def __init__(
        self,
        project: Project,
        tape: TapeFile,
        asked: Asked,
        told_before: dict[str, Any] | None,
        report: Progress,
    ) -> None:
        """`told_before`: the ledger that the last run left, as JSON values."""
        self._project, self._asked, self._report = project, asked, report
        self._states = StateFiles(project.paths.state)
        planned = plan_symbol(project, tape.instrument, tape.continuity, asked.groups)
        self._planned, ledger = planned, Ledger.read(told_before)
        self._run = run = SymbolRun(project, tape, planned, ledger, asked.span)
        run.root = root_name(project, run.first)
        self._names = Names(planned.plan, run.root)
        run.decide(parts_of(project, planned, self._names, asked.groups, asked.engine), asked.force)
        self._older = older_rows(run)
        instrument = planned.instrument
        self._where = {"venue": instrument.venue, "symbol": instrument.symbol}
        if asked.force:
            ledger.states = []

    def intent(self) -> Intent:
        """Return what will be replaced."""
        run = self._run
        venue, symbol = self._where["venue"], self._where["symbol"]
        if not run.needs:
            return Intent(venue, symbol)
        clears = [*self._clears(), Clear(INSTRUMENTS.name, [self._where], (None, None))]
        tables = [need.part.table.name for need in run.needs if need.part.table is not None]
        return Intent(venue, symbol, clears, [*dict.fromkeys([*tables, INSTRUMENTS.name])])

    def make(self, writer: RunWriter, stored: FeatureRows) -> None:
        """Write the rows that are missing. Errors: QF62x and those of the engines."""
        run = self._run
        if not run.needs:
            return
        if any(need.part.maker == "polars" for need in run.needs):
            from qf.engines.polars_run import PolarsRun

            self._planned.second = PolarsRun(self._project, self._planned)
        compile_kernels(self._planned.plan.ops(), self._report)
        tables = [need.part.table for need in run.needs if need.part.table is not None]
        writer.admit([INSTRUMENTS, *tables], **self._where)
        writer.write(INSTRUMENTS, _instrument_row(self._planned.instrument), **self._where)
        for need in run.needs:
            if need.part.maker == "tape":
                self._copy(need, writer)
        run.compute(writer, _Saved(self._run.ledger, self._states, stored), self._report)

    def done(self, writer: RunWriter) -> Done:
        """Return the account of what `make` has made; its state is on disk then."""
        run = self._run
        if not run.needs:
            return Done(self._result())
        log: list[dict[str, Any]] = []
        for need in run.needs:
            log += self._log_rows(need, writer)
            self._cover(need)
        ledger = run.ledger
        ledger.tape = run.tape.key
        ledger.facts |= run.facts
        self._keep_state(ledger)
        return Done(self._result(), log, ledger.row())

    def _clears(self) -> Iterable[Clear]:
        """Return what lies where new rows will come, table by table and range by range."""
        together: dict[tuple[str, Any], list[Part]] = defaultdict(list)
        for need in self._run.needs:
            side = need.part.source in SIDE_TABLES
            if need.part.table is None or (need.clean and not side):
                continue
            for rows in need.rows:
                span = self._beside(rows) if side else self._run.times_of(rows)
                together[need.part.table.name, span].append(need.part)
        for (name, span), parts in together.items():
            yield Clear(name, [dict(part.constants) for part in parts], span)

    def _beside(self, rows: Rows) -> tuple[int | None, int | None]:
        """Return the instants for rows beside the tape: from that of the last row before."""
        start, end = self._run.times_of(rows)
        if rows[0] > self._run.low:
            start = self._run.time_of(rows[0] - 1)
        return start, end

    def _copy(self, need: Need, writer: RunWriter) -> None:
        """Copy rows of the tape into the table that shows them as published."""
        part, tape = need.part, self._run.tape
        assert part.table is not None
        for rows in need.rows:
            if part.source in SIDE_TABLES:
                batches = tape.table(part.source, *self._beside(rows))
            else:
                make = TAPE_TABLES[part.source]
                batches = (make(block, tape.instrument) for block in frames_between(tape, *rows))
            for batch in batches:
                if batch.num_rows:
                    columns = {name: batch.column(name) for name in batch.schema.names}
                    writer.write(part.table, columns, **part.constants)

    def _cover(self, need: Need) -> None:
        run, part = self._run, need.part
        old = run.ledger.parts.get(part.id)
        table = part.table.name if part.table else ""
        entry = Covered(part.key, table, dict(part.constants))
        if part.source in SIDE_TABLES:
            entry.until = run.until
        key = (part.constants.get("label_name", ""), part.constants.get("bar_clock", ""))
        if part.group == "labels":
            met = run.verticals.get(key, ())
            vertical, count = sum(int((each == 0).sum()) for each in met), sum(map(len, met))
            if old is not None and need.clean:
                vertical, count = vertical + old.vertical[0], count + old.vertical[1]
            entry.vertical = (vertical, count)
        run.ledger.cover(part.id, entry, need.rows, run.marks)

    def _log_rows(self, need: Need, writer: RunWriter) -> list[dict[str, Any]]:
        part, run = need.part, self._run
        if part.table is None or part.maker == ACCOUNTING:
            return []
        first, last = need.rows[0][0], need.rows[-1][1]
        start, end = run.times_of((first, last))
        times = [start, end, run.time_of(first), run.time_of(max(first, last - 1))]
        known = [NULL_INT if time is None else time for time in times]
        return [
            {
                "table_name": part.table.name,
                **self._where,
                **{name: part.constants.get(name) for name in PART_COLUMNS},
                **dict(
                    zip(("start_time", "end_time", "first_event", "last_event"), known, strict=True)
                ),
                **writer.written(part.table, part.constants),
                "part_hash": part.key,
                "input_hash": run.marks(last),
            }
        ]

    def _keep_state(self, ledger: Ledger) -> None:
        """Save the state at the end of the range, beside what is saved of that row already."""
        run = self._run
        states = [(row, mark, file) for row, mark, file in ledger.states if run.marks(row) == mark]
        if run.state and run.high > run.first:
            pieces = merge(_pieces(ledger, self._states, run.high), run.state)
            if self._asked.everything and self._asked.groups >= self._project.tables:
                pieces = self._needed(pieces)
            name = f"{self._where['venue']}_{self._where['symbol']}_{run.high}"
            file = self._states.save(f"{name}_{self._asked.run_id}", pieces)
            states = [each for each in states if each[0] != run.high]
            states.append((run.high, run.marks(run.high), file))
        ledger.states = sorted(states)[-KEPT:]

    def _needed(self, pieces: Pieces) -> Pieces:
        """Return the pieces that the project's present definitions name."""
        own = {*self._names.instructions, *self._names.clocks.values()}
        parts = {need.part.key for need in self._run.needs} | {p.key for p in self._run.kept}
        own |= parts
        kept = {}
        for name, piece in pieces.items():
            rest = name.partition(":")[2]
            if rest in own or rest.partition(":")[0] in own:
                kept[name] = piece
        return kept

    def _result(self) -> SymbolResult:
        run = self._run
        facts = run.facts or run.ledger.facts
        barriers = {}
        for entry in run.ledger.parts.values():
            vertical, count = entry.vertical
            if count:
                key = (entry.constants["label_name"], entry.constants["bar_clock"])
                barriers[key] = [np.repeat(np.array([0, 1], np.int8), [vertical, count - vertical])]
        known = set(self._planned.label_rules)
        result = SymbolResult(
            self._where["symbol"],
            run.tape,
            facts.get("bars", {}),
            facts.get("accounts", {}),
            facts.get("directions", {}),
            run.agreements,
            {key: each for key, each in barriers.items() if key in known},
            did=told(run),
            plan_hash=self._planned.plan.hash(),
        )
        result.warnings = [*warnings_of(result, self._planned, self._project), *self._older]
        return result


@dataclass(frozen=True)
class _Saved:
    """What is there already: states in their files, rows of features where they are stored."""

    ledger: Ledger
    states: StateFiles
    stored: FeatureRows

    def pieces(self, row: int) -> Pieces:
        """Return the state that is saved at a row of the tape."""
        return _pieces(self.ledger, self.states, row)

    def feature_rows(
        self, constants: Mapping[str, str], ids: tuple[int, int]
    ) -> dict[str, np.ndarray]:
        """Return bar_id, value and quality of a feature's stored bars."""
        return self.stored.feature_rows(constants, ids)


def _pieces(ledger: Ledger, states: StateFiles, row: int) -> Pieces:
    pieces = Pieces()
    for at, _, file in ledger.states:
        if at == row:
            pieces = merge(pieces, states.load(file))
    return pieces


def _instrument_row(instrument: Instrument) -> dict[str, Any]:
    given = asdict(instrument)
    since = given.pop("valid_from")
    row = {name: [value] for name, value in given.items() if name not in ("venue", "symbol")}
    return row | {"valid_from": np.array([parse_time(since) if since else NULL_INT])}
