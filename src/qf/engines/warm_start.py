"""Where the last batch run of a symbol ended, as the state that a live session begins from.

1. the tape that the run made is there already; its reader's state is kept beside it, or the sources
   are read once more without computing anything
2. the newest saved state of the program that is made of this tape is joined from its pieces
3. what the tape has behind that state is run through the program, and nothing of it is written

So the first live frame meets the program as batch over everything would have: no second warm-up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from qf.engines.account import kinds_left_out
from qf.engines.ledger import Ledger
from qf.engines.parts import Part, parts_of, root_name
from qf.engines.sources import open_tape, sources_of
from qf.engines.state_files import StateFiles
from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.engines.symbol_run import BEFORE, BLOCK_ROWS, without
from qf.errors import RunError, diagnostic
from qf.pieces import Names, Pieces, join, merge
from qf.program import Program
from qf.project.model import Project
from qf.store.duck import Store
from qf.tape.columns import Columns
from qf.tape.ingest import Inspection, merged
from qf.tape.prefix import blocks_between, prefix, row_at
from qf.tape.read import open_reader
from qf.tape.tape_file import TapeFile

NOT_CLEAN = diagnostic(
    "QF545",
    "a session cannot go on from the end of {symbol}'s history: its last frame's time jumped ahead,"
    " and only the frame after it can say whether it is right",
    RunError,
    "begin without the history, or with a history that ends elsewhere",
)

STATE_FILE = "reader.json"  # beside a tape, where its reader's state was kept


@dataclass(frozen=True)
class WarmStart:
    """The state at the end of a symbol's history, as `Line.begin` takes it."""

    symbol: str
    reader: dict[str, Any]
    program: bytes
    before: dict[str, dict[str, int]]  # by clock: the last bar, from which empty ones are counted
    rows: int  # of the tape that lie behind it
    replayed: int  # of them had no saved state, and were run again

    def state(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"reader": self.reader, "program": self.program, "before": self.before}


def warm_start(project: Project, symbol: str) -> WarmStart:
    """Return where the history of a symbol ends. Errors: QF3xx, QF500-QF503, QF545, QF60x."""
    tape = open_tape(project, symbol)
    planned = plan_symbol(project, tape.instrument, tape.continuity)
    reader = _reader_state(project, tape, symbol)
    first = row_at(tape, project.history_start_ns, 0)
    names = Names(planned.plan, root_name(project, first))
    parts = parts_of(project, planned, names, project.tables, "machine")
    program, row = Program(planned.plan, BLOCK_ROWS), first
    for at, pieces in _saved(project, tape, first):
        state = join(planned.plan, names, pieces)
        if state is not None and _take_routes(parts, pieces):
            program.restore(state)
            row = at
            break
    else:
        _take_routes(parts, None)
    _run_on(project, planned, program, tape, row)
    routes = [route for route in planned.routes if route.period_ns]
    before = {route.clock: route.before for route in routes if route.before}
    return WarmStart(symbol, reader, program.save(), before, tape.rows, tape.rows - row)


def _saved(project: Project, tape: TapeFile, first: int) -> list[tuple[int, Pieces]]:
    """Return the states that were saved of this tape, the newest first."""
    if not project.paths.database.is_file():
        return []
    with Store(project.paths.database, project.name) as store:
        told = store.ledgers().get((tape.instrument.venue, tape.instrument.symbol))
    files = StateFiles(project.paths.state)
    found: dict[int, Pieces] = {}
    for row, mark, file in Ledger.read(told).states:
        if first < row <= tape.rows and prefix(tape, row) == mark:
            found[row] = merge(found.get(row, {}), files.load(file))
    return sorted(found.items(), key=lambda pair: pair[0], reverse=True)


def _take_routes(parts: list[Part], pieces: Pieces | None) -> bool:
    """Let the routes count empty bars from a state, or from the first bar; False: it lacks one."""
    for part in parts:
        if part.route is None or not part.route.period_ns:
            continue
        words = None if pieces is None else pieces.get(f"b:{part.key}")
        if pieces is not None and words is None:
            return False
        numbers = [] if words is None else words.tolist()
        known: dict[str, int] = dict(zip(BEFORE, numbers, strict=False))
        part.route.go_on_from(known)
    return True


def _run_on(
    project: Project, planned: SymbolPlan, program: Program, tape: TapeFile, row: int
) -> None:
    """Feed the program what the tape has behind a row."""
    left_out = kinds_left_out(project.sources)
    for block in blocks_between(tape, row, tape.rows, project.micro_batch_size):
        made = program.advance(without(block, left_out))
        for route in planned.routes:
            if route.period_ns and route.clock in made:
                route.rows({route.clock: program.named(route.clock, made[route.clock])})


def _reader_state(project: Project, tape: TapeFile, symbol: str) -> dict[str, Any]:
    """Return where the tape's reader stood before it was told that nothing follows."""
    try:
        kept = json.loads((tape.folder / STATE_FILE).read_text())
        marks = tape.manifest["prefixes"]
        rows = kept["rows"] + (marks[kept["blocks"] - 1][0] if kept["blocks"] else 0)
        state = kept["state"]
    except (OSError, ValueError, KeyError, TypeError):
        rows, state = _read_again(project, symbol)
    if rows != tape.rows:
        raise NOT_CLEAN(symbol=symbol)
    return {**state, "columns": Columns().state()}


def _read_again(project: Project, symbol: str) -> tuple[int, dict[str, Any]]:
    sources, instrument = sources_of(project, symbol)
    declared = next((source.trades for source in sources if source.trades), None)
    reader = open_reader(instrument, Inspection(), declared, sources[0].ordering)
    rows = 0
    for arrival in merged(sources):
        reader.feed(arrival)
        if reader.columns.rows >= BLOCK_ROWS:
            rows += reader.columns.rows
            reader.columns.take()
    rows += reader.columns.rows
    reader.columns.take()
    return rows, reader.state()
