"""From a tape to the hashes of its tables, by the run's own path, for any way of pushing.

`outputs` drives programs over the legs of a way; what they make goes through the run's collector
and the store's writer, whose last step is a sum over rows here and DuckDB in a run. The sums of a
table add up, so symbols, threads and processes each bring theirs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qf.engines.account import kinds_left_out
from qf.engines.collect import Collector
from qf.engines.symbol_plan import SymbolPlan
from qf.engines.symbol_run import without
from qf.program import Plan, Program
from qf.project.model import Project
from qf.proof.prove_schedule import BATCH, Leg, Way
from qf.schema_tables import Table
from qf.store.arrow import schema_of
from qf.store.duck import FIRST_NS, LAST_NS
from qf.store.hashing import RowSums
from qf.store.writer import Batches, Writer
from qf.tape.tape_file import TapeFile

Block = Mapping[str, np.ndarray]
Made = dict[str, np.ndarray]
Sums = dict[str, RowSums]  # by table

# What unused memory holds in a dirty program: 2,261,634.5 as a float, 4.7e18 as an integer.
GARBAGE = 0x4141414141414141


class HashingWriter(Writer):
    """Check and convert rows as the store's writer does, and sum them up instead of storing."""

    def __init__(
        self, planned: SymbolPlan, project: str, span: tuple[int | None, int | None]
    ) -> None:
        where = [(planned.instrument.venue, planned.instrument.symbol)]
        start = FIRST_NS if span[0] is None else span[0]
        end = LAST_NS if span[1] is None else span[1]
        super().__init__(None, project, planned.tables(), where, (start, end))
        self.sums: Sums = {table.name: RowSums() for table in planned.tables()}

    def put(self, table: Table, batches: Batches) -> None:
        """Add the batches' rows to the table's sums."""
        for batch in batches:
            self.sums[table.name].add(batch)


@dataclass(frozen=True)
class Subject:
    """One symbol under proof: its tape, its plan, and the rows its program is fed."""

    project: Project
    tape: TapeFile
    planned: SymbolPlan
    span: tuple[int | None, int | None]
    rows: int = 0

    def blocks(self) -> Iterator[Block]:
        """Yield the rows that a run feeds, from the history's start to the end of the range."""
        left_out = kinds_left_out(self.project.sources)
        for block in self.tape.blocks(BATCH, self.project.history_start_ns, self.span[1]):
            yield without(block, left_out)

    def counted(self) -> Subject:
        """Return the same with its rows counted."""
        return dataclasses.replace(self, rows=sum(len(block["seq"]) for block in self.blocks()))

    def fresh(self) -> SymbolPlan:
        """Return the plan with routes that have sent nothing yet."""
        routes = [dataclasses.replace(route) for route in self.planned.routes]
        for route in routes:
            route.go_on_from(None)
        return dataclasses.replace(self.planned, routes=routes)


class DirtyProgram(Program):
    """A program whose memory holds garbage where no row is yet; before row 0 all is null."""

    def _new_buffer(self, clock: int, capacity: int) -> np.ndarray:
        buffer = super()._new_buffer(clock, capacity)
        buffer[:, self.plan.tails[clock] :] = GARBAGE
        return buffer


class Rows:
    """Blocks of a tape, taken in pieces of any length."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = iter(blocks)
        self._rest: Block | None = None

    def pieces(self, rows: int, most: int) -> Iterator[Block]:
        """Yield the next `rows` rows in pieces of at most `most`; fewer at the tape's end."""
        while rows > 0:
            block = self._rest if self._rest is not None else next(self._blocks, None)
            if block is None:
                return
            take = min(rows, most, len(block["seq"]))
            if take:
                yield {name: column[:take] for name, column in block.items()}
            rest = {name: column[take:] for name, column in block.items()}
            self._rest = rest if len(rest["seq"]) else None
            rows -= take


def outputs(
    plan: Plan, legs: Sequence[Leg], tape: Rows, dirty: bool = False, saved: bytes = b""
) -> Iterator[tuple[Program, Made, int]]:
    """Push the legs and yield what each push made: program, matrices by clock, rows pushed so far.

    `saved` is the state to begin from, empty for a new history.
    """
    program, done = None, 0
    for leg in legs:
        if program is None or leg.fresh:
            saved = program.save() if program is not None else saved
            program = (DirtyProgram if dirty else Program)(plan, leg.block)
            if saved:
                program.restore(saved)
        for piece in tape.pieces(leg.rows, leg.batch):
            if not leg.by_row:
                done += len(piece["seq"])
                yield program, program.advance(dict(piece)), done
                continue
            for row in words_of(plan, piece):
                done += 1
                made = program.step(row)
                if made:
                    yield program, {clock: m.copy() for clock, m in made.items()}, done


def words_of(plan: Plan, piece: Block) -> np.ndarray:
    """Return rows as `Program.step` takes them: one word per feed, int64 as its bits."""
    columns = [np.ascontiguousarray(piece[name]).view(np.float64) for name, _ in plan.feeds]
    return np.ascontiguousarray(np.array(columns).T)


def sums_of(subject: Subject, way: Way) -> Sums:
    """Return what the tables sum up to when the tape is pushed that way, in this process."""
    planned = subject.fresh()
    writer = HashingWriter(planned, subject.project.name, subject.span)
    made = outputs(planned.plan, way.legs, Rows(subject.blocks()), way.dirty)
    collect(planned, made, writer, way.flush)
    return writer.sums


def collect(
    planned: SymbolPlan,
    made: Iterable[tuple[Program, Made, int]],
    writer: Writer,
    flush: bool = False,
) -> None:
    """Send what programs make to the tables; a program that was killed hands over all it had."""
    collector = owner = None
    for program, matrices, _ in made:
        if collector is None or program is not owner:
            if collector is not None:
                collector.flush()
            collector, owner = Collector(planned, program, writer), program
        collector.take(matrices)
        if flush:
            collector.flush()
    if collector is not None:
        collector.flush()
    writer.finish()


def hashes_of(subjects: Sequence[Subject], parts: Sequence[Sums]) -> dict[str, str]:
    """Return the hash of every table over all symbols."""
    tables = {table.name: table for each in subjects for table in each.planned.tables()}
    total: Sums = {name: RowSums() for name in tables}
    for sums in parts:
        for name, found in sums.items():
            total[name] = total[name] + found
    return {name: total[name].digest(schema_of(table)) for name, table in sorted(tables.items())}
