"""One symbol's run, up to an instant and on into garbage, through the product's own path.

1. the tape is pushed once as it is: that is the clean run, all its tables are kept as arrays
2. it is pushed again, piece by piece, to a row shortly before each instant; a second program takes
   over the state there and is pushed the rows up to the instant and garbage behind them, in one
   piece, so that a block of the machine holds both
3. what it makes follows what the clean run had made up to there, and both go to the tables through
   the routes, the collector and, for the second engine, Polars over the whole history

It holds the tape and the tables of one symbol in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qf.engines.account import kinds_left_out
from qf.engines.collect import Collector
from qf.engines.polars_run import PolarsRun
from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.engines.symbol_run import BLOCK_ROWS
from qf.errors import QuantflowError, RunError, diagnostic
from qf.program import Plan, Program
from qf.project.model import Project
from qf.proof.garbage import NAMES, Past, spoil
from qf.proof.poison_tables import Difference, Instant, Key, Part, Recorder, differences
from qf.schema import TRADE
from qf.schema_tables import TABLES
from qf.store.arrow import int_words
from qf.tape.tables import TABLES as PUBLISHED
from qf.tape.tape_file import TapeFile

NOTHING_AFTER = diagnostic(
    "QF540",
    "the tape of {symbol} has {frames} frame(s) in the range: there is no instant to poison after",
    RunError,
    "choose a longer range",
)

EVERY_GROUP = frozenset(("enriched", "bars", "l2", "labels", "features", "vectors"))
PUBLISHED_AS = {"trades": "cdm_trades", "lob_incremental": "cdm_lob_incremental", "bbo": "cdm_bbo"}
FUTURE_ROWS = 3 * BLOCK_ROWS
MACHINE, POLARS = "machine", "polars"

Matrices = dict[str, np.ndarray]


@dataclass(frozen=True)
class Spoilt:
    """What came of one instant and one kind of garbage."""

    at: Instant
    kind: str
    start: int  # the row, the first of a frame, from which the second program ran
    rows: dict[str, np.ndarray]  # what it was pushed


class SymbolRuns:
    """The clean run of one symbol and its runs into garbage."""

    def __init__(
        self,
        project: Project,
        tape: TapeFile,
        end: int | None,
        engines: tuple[str, ...],
        compile_plan: Callable[[Plan], object],
    ) -> None:
        """Read the tape from the history's start up to `end`, and run it clean."""
        self.project, self.tape = project, tape
        self.columns = tape_columns(project, tape, end)
        self.planned = plan_symbol(project, tape.instrument, tape.continuity, EVERY_GROUP)
        self._routes = list(self.planned.routes)
        self._second = None
        self.notes: list[str] = []
        if POLARS in engines and self.planned.vectors:
            self._second = PolarsRun(project, self.planned)
            self.planned.routes[:] = self._routes
        compile_plan(self.planned.plan)
        self._program = Program(self.planned.plan, BLOCK_ROWS)
        self._twin = Program(self.planned.plan, BLOCK_ROWS)
        self._made = self.push(self._program, 0, len(self.columns["seq"]))
        self.clean = self.tables(self._made, engines)
        self.engines = tuple(self.clean)

    def spoilt(self, instants: list[Instant], kinds: list[list[str]], seed: int) -> Iterator[
        tuple[Spoilt, dict[str, dict[Key, Part]]]
    ]:  # fmt: skip
        """Yield, per instant (they grow) and each of its kinds, the tables of the run into it."""
        self._program = Program(self.planned.plan, BLOCK_ROWS)
        rng = np.random.default_rng([seed, 1])
        done = 0
        for number, at in enumerate(instants):
            start = max(done, self._frame_start(at.row - int(rng.integers(1, BLOCK_ROWS))))
            self.push(self._program, done, start)
            done, saved, counts = start, self._program.save(), self._program.rows
            asked = kinds[number] if MACHINE in self.engines else kinds[number][:1]
            for place, kind in enumerate(asked):
                rows = self.garbage(at, kind, start, [seed, number, place])
                self._twin.restore(saved)
                made = self._twin.advance(rows)
                joined = self._after(counts, made)
                engines = self.engines if place == 0 else (MACHINE,)
                yield Spoilt(at, kind, start, rows), self.tables(joined, engines)

    def garbage(self, at: Instant, kind: str, start: int, seed: list[int]) -> dict[str, np.ndarray]:
        """Return the rows from `start` up to the instant, and garbage behind them."""
        stop = at.row + FUTURE_ROWS
        future = {name: self.columns[name][at.row : stop] for name in NAMES}
        whole = int(np.flatnonzero(future["last_row"])[-1]) + 1
        future = {name: column[:whole] for name, column in future.items()}
        period = max((c.period_ns for c in self.planned.state.bar_clocks.values()), default=0)
        past = Past(self.columns, at.row, period)
        spoils = spoil(kind, future, past, at.tie, seed)
        return {n: np.concatenate([self.columns[n][start : at.row], spoils[n]]) for n in NAMES}

    def tables(self, made: Matrices, engines: tuple[str, ...]) -> dict[str, dict[Key, Part]]:
        """Return the tables of each engine; those that both share come with the machine's."""
        recorder = Recorder()
        routes = [replace(route) for route in self._routes]
        planned: SymbolPlan = replace(self.planned, routes=routes, second=None)
        collector = Collector(planned, self._program, recorder)
        collector.take(made)
        collector.flush()
        found = {MACHINE: recorder.parts()} if MACHINE in engines else {}
        if POLARS in engines and self._second is not None:
            second = self._polars(made)
            if second is not None:
                found[POLARS] = second
        return found

    def published(self, rows: Mapping[str, np.ndarray]) -> dict[Key, Part]:
        """Return the tables that are stored as the tape has them (`rows` are whole frames)."""
        recorder, instrument = Recorder(), self.tape.instrument
        for source, name in PUBLISHED_AS.items():
            batch = PUBLISHED[source](dict(rows), instrument)
            fields = [f for f in TABLES[name].fields if f.name not in ("venue", "symbol")]
            columns = {f.name: _plain(batch.column(f.name), f.type) for f in fields}
            where = {"venue": instrument.venue, "symbol": instrument.symbol}
            recorder.write(TABLES[name], columns, **where)
        return recorder.parts()

    def published_differences(self, spoilt: Spoilt) -> tuple[list[Difference], int]:
        """Return what differs before the instant in the tables that come from the tape alone."""
        stop = spoilt.start + len(spoilt.rows["seq"])
        real = {name: self.columns[name][spoilt.start : stop] for name in NAMES}
        whole = int(np.flatnonzero(real["last_row"])[-1]) + 1
        clean = self.published({name: column[:whole] for name, column in real.items()})
        return differences(clean, self.published(spoilt.rows), spoilt.at)

    def _frame_start(self, row: int) -> int:
        ends = self.columns["last_row"][: max(0, row)]
        return int(np.flatnonzero(ends)[-1]) + 1 if ends.any() else 0

    def _polars(self, made: Matrices) -> dict[Key, Part] | None:
        assert self._second is not None
        recorder = Recorder()
        self._second.take(self._program, made)
        try:
            self._second.finish(self._program, recorder)
        except QuantflowError as error:
            if error.code != "QF139":
                raise
            self.notes.append(f"the engine polars is left out: {error.sentence}")
            self._second = None
            return None
        return recorder.parts()

    def push(self, program: Program, low: int, high: int) -> Matrices:
        """Push rows [low, high) of the tape and return what they made."""
        return program.advance({name: self.columns[name][low:high] for name in NAMES})

    def _after(self, counts: Mapping[str, int], made: Matrices) -> Matrices:
        """Return the clean run's rows up to `counts`, and those made after them."""
        joined = {}
        for clock in self._made.keys() | made.keys():
            before = self._made.get(clock)
            parts = [] if before is None else [before[:, : counts[clock]]]
            parts += [made[clock]] if clock in made else []
            joined[clock] = np.concatenate(parts, axis=1)
        return joined


def tape_columns(project: Project, tape: TapeFile, end: int | None) -> dict[str, np.ndarray]:
    """Return the rows of the tape that a run up to `end` takes. Errors: QF540."""
    blocks = list(tape.blocks(1 << 20, project.history_start_ns, end))
    if not blocks:
        raise NOTHING_AFTER(symbol=tape.instrument.symbol, frames=0)
    columns = {name: np.concatenate([block[name] for block in blocks]) for name in NAMES}
    keep = ~np.isin(columns["kind"], list(kinds_left_out(project.sources)))
    return {name: column[keep] for name, column in columns.items()}


def choose_instants(
    runs: SymbolRuns, count: int, seed: int, start: int | None = None
) -> list[Instant]:
    """Return at most `count` places between frames, by row, from `start` on.

    Every second one is where a row of some table has just become known, the others are between
    any two frames, between two of equal receive time, or before a trade. Errors: QF540.
    """
    rng = np.random.default_rng([seed, 0])
    columns = runs.columns
    times, ends = columns["processed_time"], np.flatnonzero(columns["last_row"])[:-1] + 1
    frames = len(ends) + 1
    if start is not None:
        ends = ends[times[ends - 1] >= start]
    if len(ends) == 0:
        raise NOTHING_AFTER(symbol=runs.tape.instrument.symbol, frames=frames)
    tied = ends[times[ends] == times[ends - 1]]
    before_trade = ends[columns["kind"][ends] == TRADE]
    pools = [pool for pool in (ends, tied, before_trade) if len(pool)]
    made = _made_rows(runs, times, ends)
    rows = {
        int(rng.choice(pools[turn // 2 % len(pools)]))
        if turn % 2
        else int(rng.choice(made[int(rng.integers(len(made)))]))
        for turn in range(count)
    }
    return [
        Instant(
            row,
            int(columns["seq"][row - 1]),
            int(times[row - 1]),
            bool(times[row] == times[row - 1]),
        )
        for row in sorted(rows)
    ]


def _made_rows(runs: SymbolRuns, times: np.ndarray, ends: np.ndarray) -> list[np.ndarray]:
    """Return, per table, clock and feature, the first row of the tape after each row was made."""
    found = []
    for part in next(iter(runs.clean.values())).values():
        rows = np.searchsorted(times, part.columns[part.table.made], "right")
        rows = np.unique(rows[(rows >= ends[0]) & (rows <= ends[-1])])
        found += [rows] if len(rows) else []
    return found or [ends]


def _plain(column: Any, kind: str) -> np.ndarray:
    """Return an Arrow column as an array: times as ns, text and flags as objects."""
    if kind in ("BIGINT", "TIMESTAMP_NS"):
        return int_words(column)
    values = column.to_numpy(zero_copy_only=False)
    return values if kind == "DOUBLE" else values.astype(object)
