"""One symbol's part of a run's transaction: clear, write, and say for the next run what is there.

1. what was there of another definition or another input is removed, in the range
2. the tape's own tables are copied, the machine's parts are computed (symbol_run.py)
3. qf_runs gets a row per part; the state at the end goes to its file, the ledger to the database
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from qf.clock import format_time, parse_time
from qf.engines.ledger import Covered, Ledger, Rows
from qf.engines.parts import ACCOUNTING, SIDE_TABLES, Part
from qf.engines.run_result import SymbolResult
from qf.engines.state_files import KEPT, StateFiles
from qf.engines.symbol_run import Need, Progress, SymbolRun
from qf.pieces import Names, Pieces, merge
from qf.schema import NULL_INT
from qf.schema_records import PART_COLUMNS
from qf.schema_tables import TABLES
from qf.store.change import Change
from qf.tape.instruments import Instrument
from qf.tape.prefix import frames_between, time_at
from qf.tape.tables import TABLES as TAPE_TABLES

INSTRUMENTS = TABLES["instruments"]


class SymbolChange:
    """Carry out what a symbol's run found missing, in one transaction with the others."""

    def __init__(
        self, change: Change, run: SymbolRun, states: StateFiles, names: Names, whole: bool
    ) -> None:
        """`whole`: the plan makes every table of the project, so other state is of no use."""
        self._change, self._run, self._states = change, run, states
        self._names, self._whole = names, whole
        instrument = run.planned.instrument
        self._where = {"venue": instrument.venue, "symbol": instrument.symbol}
        self._gone: defaultdict[str, int] = defaultdict(int)  # rows removed, by table

    def carry_out(self, report: Progress) -> SymbolResult:
        """Make what is missing and record it. Errors: QF6xx and those of the engines."""
        run, change = self._run, self._change
        tables = [need.part.table for need in run.needs if need.part.table]
        if run.needs:
            change.prepare([INSTRUMENTS, *tables], **self._where)
            self._clear()
            self._gone[INSTRUMENTS.name] += change.clear(INSTRUMENTS, [self._where], (None, None))
            self._want_files()
            row = _instrument_row(run.planned.instrument)
            change.writer.write(INSTRUMENTS, row, **self._where)
            for need in run.needs:
                if need.part.maker == "tape":
                    self._copy(need)
            run.compute(change.writer, self, report)
            change.writer.finish()
            self._record()
        return self._result()

    def pieces(self, row: int) -> Pieces:
        """Return the state that is saved at a row of the tape."""
        pieces = Pieces()
        for at, _, file in self._run.ledger.states:
            if at == row:
                pieces = merge(pieces, self._states.load(file))
        return pieces

    def feature_rows(
        self, constants: Mapping[str, str], ids: tuple[int, int]
    ) -> dict[str, np.ndarray]:
        """Return bar_id, value and quality of a feature's stored bars."""
        return self._change.feature_rows(constants, ids)

    def _clear(self) -> None:
        """Remove what lies where new rows will come, table by table and range by range."""
        together: dict[tuple[str, Any], list[Part]] = defaultdict(list)
        for need in self._run.needs:
            side = need.part.source in SIDE_TABLES
            if need.part.table is None or (need.clean and not side):
                continue
            for rows in need.rows:
                span = self._beside(rows) if side else self._run.times_of(rows)
                together[need.part.table.name, span].append(need.part)
        for (name, span), parts in together.items():
            table = parts[0].table
            assert table is not None
            self._gone[name] += self._change.clear(table, [p.constants for p in parts], span)

    def _beside(self, rows: Rows) -> tuple[int | None, int | None]:
        """Return the instants for rows beside the tape: from that of the last row before."""
        start, end = self._run.times_of(rows)
        if rows[0] > self._run.low:
            start = time_at(self._run.tape, rows[0] - 1)
        return start, end

    def _copy(self, need: Need) -> None:
        """Copy rows of the tape into the table that shows them as published."""
        part, writer, tape = need.part, self._change.writer, self._run.tape
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

    def _want_files(self) -> None:
        """Say which tables' new rows make a Parquet file by themselves."""
        for need in self._run.needs:
            if need.part.table is not None:
                gone = self._gone[need.part.table.name]
                self._change.want_file(need.part.table, **self._where, appended=not gone)
        self._change.want_file(INSTRUMENTS, **self._where, appended=False)

    def _record(self) -> None:
        run, change, ledger = self._run, self._change, self._run.ledger
        rows = []
        for need in run.needs:
            rows += self._log_rows(need)
            self._cover(need)
        change.log(rows)
        ledger.wrote |= change.versions(ledger.wrote, **self._where)
        ledger.tape = run.tape.key
        ledger.facts |= run.facts
        self._keep_state(ledger)
        change.keep(**self._where, ledger=ledger.row())

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

    def _log_rows(self, need: Need) -> list[dict[str, Any]]:
        part, run = need.part, self._run
        if part.table is None or part.maker == ACCOUNTING:
            return []
        first, last = need.rows[0][0], need.rows[-1][1]
        start, end = run.times_of((first, last))
        times = [start, end, time_at(run.tape, first), time_at(run.tape, max(first, last - 1))]
        known = [NULL_INT if time is None else time for time in times]
        return [
            {
                "table_name": part.table.name,
                **self._where,
                **{name: part.constants.get(name) for name in PART_COLUMNS},
                **dict(
                    zip(("start_time", "end_time", "first_event", "last_event"), known, strict=True)
                ),
                **self._change.writer.written(part.table, part.constants),
                "part_hash": part.key,
                "input_hash": run.marks(last),
            }
        ]

    def _keep_state(self, ledger: Ledger) -> None:
        """Save the state at the end of the range, beside what is saved of that row already."""
        run = self._run
        states = [(row, mark, file) for row, mark, file in ledger.states if run.marks(row) == mark]
        if run.state and run.high > run.first:
            pieces = merge(self.pieces(run.high), run.state)
            if self._whole:
                pieces = self._needed(pieces)
            name = f"{self._where['venue']}_{self._where['symbol']}_{run.high}"
            file = self._states.save(f"{name}_{self._change.run.run_id}", pieces)
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
        known = set(run.planned.label_rules)
        return SymbolResult(
            self._where["symbol"],
            run.tape,
            run.planned,
            facts.get("bars", {}),
            facts.get("accounts", {}),
            facts.get("directions", {}),
            run.agreements,
            {key: each for key, each in barriers.items() if key in known},
            did=told(run),
        )


def told(run: SymbolRun) -> list[str]:
    """Return what was computed of a symbol, what was kept, and why, in a few lines."""
    lines = []
    shown = [need for need in run.needs if need.part.maker != ACCOUNTING]
    kept = [part for part in run.kept if part.maker != ACCOUNTING]
    for why, sentence in _WHY.items():
        found = [need for need in shown if need.why == why]
        if not found:
            continue
        first = min(rows[0] for need in found for rows in need.rows)
        events = max(sum(high - low for low, high in need.rows) for need in found)
        time = time_at(run.tape, first)
        since = "the end" if time is None else format_time(time)
        everything = len(found) == len(shown) and not kept
        what = "everything" if everything else summary([need.part for need in found])
        lines.append(sentence.format(what=what, since=since, events=events))
    if kept:
        what = summary(kept) if shown else "everything"
        lines.append(f"kept {what}: of the same definitions, code and input")
    for first, last in run.replayed:
        lines.append(f"passed over {last - first:,} events to get there: no nearer state is saved")
    return lines


_WHY = {
    "forced": "computed {what}: --force-refresh",
    "new": "computed {what}: not there before",
    "definition": "computed {what}: other definitions or code than before",
    "input": "computed {what} from {since} on: other input than before",
    "polars": "computed {what}: the Polars engine begins at the history's start every time",
    "rows": "went on with {what} at {since}: {events:,} new events",
}


def summary(parts: Sequence[Part]) -> str:
    """Return parts in words: the tables, and of features and labels how many or which."""
    words: dict[str, list[str]] = {}
    for part in parts:
        constants = part.constants
        if part.group == "features":
            words.setdefault("feature", []).append(constants["feature_name"])
        elif part.group == "labels":
            words.setdefault("label", []).append(
                f"{constants['label_name']} on {constants['bar_clock']}"
            )
        elif part.group == "bars":
            words.setdefault("clock", []).append(constants["bar_clock"])
        elif part.table is not None:
            words.setdefault("", []).append(part.table.name)
    shown = []
    for kind, names in words.items():
        if not kind:
            shown += names
        elif len(names) <= 3:
            shown.append(f"{kind}{'s' if len(names) > 1 else ''} {', '.join(names)}")
        else:
            shown.append(f"{len(names)} {kind}s")
    return ", ".join(shown)


def _instrument_row(instrument: Instrument) -> dict[str, Any]:
    given = asdict(instrument)
    since = given.pop("valid_from")
    row = {name: [value] for name, value in given.items() if name not in ("venue", "symbol")}
    return row | {"valid_from": np.array([parse_time(since) if since else NULL_INT])}
