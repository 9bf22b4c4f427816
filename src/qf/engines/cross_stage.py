"""The cross stage of a run: when every symbol is done, the cross sets are made and written.

1. a cross set is made where all the symbols that it reads are part of the run
2. its inputs are the rows of `features` from the history's start on (cross_inputs.py), so a day
   after the other gives what all days at once give
3. what was made of the same definitions, code and input for the same range is kept
4. the vectors of the range replace those that are there, symbol after symbol
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qf.engines.cross import Cross, Vectors
from qf.engines.cross_inputs import FEATURES, Progress, StoredInputs, inputs_of
from qf.engines.cross_plan import CrossPlan
from qf.engines.ledger import Covered, Ledger
from qf.engines.parts import code_hash
from qf.engines.symbol_work import Asked
from qf.project.cross_model import CrossSet
from qf.project.model import Project
from qf.schema import NULL_INT
from qf.schema_records import PART_COLUMNS
from qf.store.change import Change
from qf.tape.prefix import prefix, row_at
from qf.tape.tape_file import TapeFile

CODE = ("engines/cross.py", "engines/cross_plan.py", "engines/cross_rows.py", "store/arrow.py")
MACHINE = "machine"


def key_of(planned: CrossPlan) -> str:
    """Return the hash of what makes a symbol's vectors of a cross set: plan and code."""
    return hashlib.sha256(f"{code_hash(CODE)} {planned.key}".encode()).hexdigest()[:20]


def part_id(planned: CrossPlan) -> str:
    """Return the name under which a symbol's ledger keeps its vectors of a cross set."""
    return f"{planned.table.name}/{planned.cross.bar}"


@dataclass(frozen=True)
class CrossStage:
    """Make the cross sets of a project inside a run's transaction."""

    project: Project
    change: Change
    tapes: Mapping[str, TapeFile]
    ledgers: Mapping[tuple[str, str], Ledger]  # as the symbols' stages have left them
    asked: Asked
    report: Progress

    def run(self) -> list[str]:
        """Make what is missing and return what the user should know."""
        notes = []
        for each in self.project.cross_sets:
            cross = Cross(self.project, [each])
            absent = sorted(cross.symbols - self.tapes.keys())
            if absent:
                notes.append(
                    f"{each.name} reads {', '.join(absent)}, not part of this run: "
                    "its rows stay as they were"
                )
                continue
            notes.append(self._set(each, cross))
        return notes

    def _set(self, each: CrossSet, cross: Cross) -> str:
        mark = self._input_mark(cross)
        wanted = [reader.planned for reader in cross.readers]
        left = [planned for planned in wanted if not self._is_there(planned, mark)]
        if not left:
            return f"{each.name}: kept, of the same definitions, code and input"
        stored = self._feed(cross)
        made: dict[str, list[Vectors]] = {}
        for rows in cross.settle():
            made.setdefault(rows.symbol, []).append(rows)
        count = sum(self._write(planned, made.get(planned.symbol, []), mark) for planned in wanted)
        how = f"of stored features of {stored} of {len(cross.symbols)} symbols"
        return f"{each.name}: {count:,} vectors of {len(wanted)} symbols, {how}"

    def _feed(self, cross: Cross) -> int:
        """Let the stage take all inputs; return of how many symbols they were stored."""
        end, stored = self.asked.span[1], 0
        for symbol in sorted(cross.symbols):
            inputs, tape = cross.inputs_of(symbol), self.tapes[symbol]
            by_machine = self.asked.engine == MACHINE and FEATURES in self.asked.groups
            there = (self._ledger(symbol), self.change.feature_times) if by_machine else None
            source = inputs_of(self.project, tape, inputs, end, there, self.report)
            stored += isinstance(source, StoredInputs)
            for each in inputs:
                cross.take(source.rows(each, end), **each.constants)
        return stored

    def _write(self, planned: CrossPlan, made: list[Vectors], mark: str) -> int:
        """Replace a symbol's vectors in the range; return how many there are now."""
        change, table = self.change, planned.table
        instrument = self.tapes[planned.symbol].instrument
        where = {"venue": instrument.venue, "symbol": instrument.symbol}
        constants = {**where, "bar_clock": planned.cross.bar}
        change.prepare([table], **where)
        there = change.rows_of([table], **where)[table.name]
        gone = change.clear(table, [constants], self.asked.span) if there else 0
        change.want_file(table, **where, appended=not gone, left=there - gone)
        before = change.writer.rows[table.name, where["venue"], where["symbol"]]
        change.writer.limit(*self.asked.span)
        for each in made:
            change.writer.write(table, each.columns, **constants)
        change.writer.finish()
        change.writer.limit(None, None)
        rows = change.writer.rows[table.name, where["venue"], where["symbol"]] - before
        self._record(planned, constants, mark)
        return rows

    def _record(self, planned: CrossPlan, constants: dict[str, str], mark: str) -> None:
        """Write the row of qf_runs, and what the next run of the symbol must know."""
        table, change, tape = planned.table, self.change, self.tapes[planned.symbol]
        ledger, where = self._ledger(planned.symbol), (constants["venue"], constants["symbol"])
        key = key_of(planned)
        entry = Covered(key, table.name, constants, until=self._until(mark))
        ledger.parts[part_id(planned)] = entry
        versions = change.versions(ledger.wrote, *where)
        if table.name in versions:
            ledger.wrote[table.name] = versions[table.name]
        change.keep(*where, ledger=ledger.row())
        start, end = (NULL_INT if time is None else time for time in self.asked.span)
        times = {"start_time": start, "end_time": end}
        times |= {"first_event": tape.first_time, "last_event": tape.last_time}
        row: dict[str, Any] = {"table_name": table.name, **constants, **times}
        row |= {name: constants.get(name) for name in PART_COLUMNS}
        row |= {"plan_hash": planned.plan.hash(), "part_hash": key, "input_hash": mark}
        row |= {"input_hashes": json.dumps({s: t.key for s, t in self.tapes.items()})}
        change.log([{**row, **change.writer.written(table, constants)}])

    def _is_there(self, planned: CrossPlan, mark: str) -> bool:
        entry = self._ledger(planned.symbol).parts.get(part_id(planned))
        if entry is None or self.asked.force:
            return False
        return (entry.key, entry.until) == (key_of(planned), self._until(mark))

    def _until(self, mark: str) -> str:
        return f"{mark}/{self.asked.span[0]}/{self.asked.span[1]}"

    def _input_mark(self, cross: Cross) -> str:
        """Return the hash of what is read: tapes up to the end, and how rows are made of them."""
        words: list[Any] = [self.project.definitions_hash, code_hash(), self.asked.engine]
        for symbol in sorted(cross.symbols):
            tape = self.tapes[symbol]
            last = row_at(tape, self.asked.span[1], tape.rows)
            words.append([symbol, prefix(tape, last), repr(tape.instrument)])
            if any(each.published for each in cross.inputs_of(symbol)):
                words.append(tape.key)  # what is published stands beside its rows
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:20]

    def _ledger(self, symbol: str) -> Ledger:
        instrument = self.tapes[symbol].instrument
        return self.ledgers[instrument.venue, instrument.symbol]
