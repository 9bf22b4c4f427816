"""One symbol's share of a run: what is missing is computed, the rest is kept.

1. every part says which tape rows of the range it must still be made of, and why
2. the ends of those ranges cut the range into segments; in one segment the same parts are missing
3. a segment runs the program's instructions that its parts need and no others, from the newest
   saved state at or before it, or from the history's start
4. the state at a segment's end is kept in pieces, so that parts which were made apart go on
   together (pieces.py)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from qf.engines.account import direction_counts, kinds_left_out
from qf.engines.collect import Collector
from qf.engines.ledger import Ledger, Rows, subtract
from qf.engines.parts import ACCOUNTING, SIDE_TABLES, Part, Reads, joined_reads
from qf.engines.run_result import SymbolResult
from qf.engines.symbol_plan import SymbolPlan
from qf.engines.vector_join import VectorJoin
from qf.pieces import Names, Pieces, SubPlan, join, merge, split
from qf.program import Program
from qf.project.model import Project
from qf.tape.prefix import blocks_between, prefix, row_at, time_at
from qf.tape.tape_file import TapeFile

if TYPE_CHECKING:
    from qf.engines.polars_run import Agreement

# Compiled blocks of this many tape rows stay in the second-level cache.
BLOCK_ROWS = 2048

Progress = Callable[[str, int, int, str], None]
BEFORE = ("bar_id", "feature_time", "close_seq", "known_row")


@dataclass(frozen=True)
class Need:
    """What must be made of one part: tape rows, why, and whether other rows lie there now."""

    part: Part
    rows: list[Rows]
    why: str
    clean: bool  # nothing is stored of the rows to be made


class Saved(Protocol):
    """What is there already: states, and rows of features."""

    def pieces(self, row: int) -> Pieces:
        """Return the state saved at a row of the tape."""
        ...

    def feature_rows(
        self, constants: Mapping[str, str], ids: tuple[int, int]
    ) -> dict[str, np.ndarray]:
        """Return bar_id, value and quality of a feature's bars."""
        ...


class SymbolRun:
    """Compute what is missing of one symbol."""

    def __init__(
        self,
        project: Project,
        tape: TapeFile,
        planned: SymbolPlan,
        ledger: Ledger,
        span: tuple[int | None, int | None],
    ) -> None:
        self.project, self.tape, self.planned, self.ledger = project, tape, planned, ledger
        self.span = span
        self.marks = cache(lambda row: prefix(tape, row))
        self.time_of = cache(lambda row: time_at(tape, row))  # of many parts the same few rows
        self.first = row_at(tape, project.history_start_ns, 0)
        self.low = max(self.first, row_at(tape, span[0], 0))
        self.high = max(self.low, row_at(tape, span[1], tape.rows))
        self.root = ""
        self.needs: list[Need] = []
        self.kept: list[Part] = []
        self.facts: dict[str, Any] = {}
        self.verticals: dict[tuple[str, str], list[np.ndarray]] = {}
        self.replayed: list[Rows] = []
        self.agreements: list[Agreement] = []  # with the Polars engine only
        self._pieces: dict[int, Pieces] = {}
        self._left_out = kinds_left_out(project.sources)

    def decide(self, parts: Iterable[Part], force: bool) -> None:
        """Find what is missing of every part."""
        for part in parts:
            need = self._need(part, force)
            if need is None:
                self.kept.append(part)
            else:
                self.needs.append(need)

    def _need(self, part: Part, force: bool) -> Need | None:
        wanted = (self.low, self.high)
        entry = self.ledger.parts.get(part.id)
        if force or entry is None or entry.key != part.key:
            why = "forced" if force else "new" if entry is None else "definition"
            return Need(part, [wanted], why, clean=False)
        valid = self.ledger.valid(part.id, part.key, self.marks)
        clean = self.ledger.is_clean(part.id, part.key, self.marks)
        rows = subtract(wanted, [(span.first, span.last) for span in valid])
        if part.source in SIDE_TABLES and not rows and entry.until != self.until:
            rows = [(self.high, self.high)]
        if not rows:
            return None
        if part.maker == "polars":
            return Need(part, [wanted], "input" if not clean else "polars", clean=False)
        if not clean:  # rows of one instant are cleared together, so they are made together
            rows = [(self._aligned(first), last) for first, last in rows]
        return Need(part, rows, "rows" if clean else "input", clean)

    @property
    def until(self) -> str:
        """Return the tape and the end that were asked for, for rows that lie beside the tape."""
        return f"{self.tape.key}/{self.span[1]}"

    def times_of(self, rows: Rows) -> tuple[int | None, int | None]:
        """Return the instants that cut some rows out of their neighbours; None: open."""
        start = self.span[0] if rows[0] <= self.low else self.time_of(rows[0])
        end = self.span[1] if rows[1] >= self.high else self.time_of(rows[1])
        return start, end

    def _aligned(self, row: int) -> int:
        if row <= self.low:
            return row
        return max(self.low, row_at(self.tape, self.time_of(row), self.tape.rows))

    def compute(self, writer: Any, saved: Saved, report: Progress) -> None:
        """Make what is missing by the machine, from what is saved."""
        needs = [need for need in self.needs if need.part.maker in ("machine", ACCOUNTING)]
        polars = any(need.part.maker == "polars" for need in self.needs)
        edges = {row for need in needs for rows in need.rows for row in rows}
        edges |= {self.first, self.high} if polars else set()
        cuts = sorted(edges)
        live: _Live | None = None
        for low, high in pairwise(cuts):
            wanted = [
                need.part
                for need in needs
                if any(first <= low and high <= last for first, last in need.rows)
            ]
            if not wanted and not polars:
                continue
            joins = {} if polars else self._joins(wanted, high, saved)
            wanted = [part for part in wanted if part.id not in joins]
            reads = joined_reads(wanted, [join.reads() for join in joins.values()])
            if live is None or not live.stands(low, reads) or joins:
                live = self._at(low, wanted, reads, None if polars or joins else saved)
            live.joins = list(joins.values())
            self._segment(live, (low, high), wanted, writer, report)
        if polars and live is not None and self.planned.second is not None:
            writer.limit(*self.span)
            self.agreements = self.planned.second.finish(live.program, writer)
            writer.limit(None, None)

    def _joins(self, wanted: Sequence[Part], high: int, saved: Saved) -> dict[str, VectorJoin]:
        """Return, by part, the vectors that stored features go into: those of other features."""
        have = {
            part.id
            for part in self.kept
            if part.group == "features" and part.maker == "machine" and self._reaches(part, high)
        }
        made = {part.id for part in wanted if part.group == "features"}
        joins = {}
        for part in wanted:
            if part.group != "vectors" or part.table is None:
                continue
            name = part.table.name.removeprefix("feature_vectors_")
            found = self.project.feature_set(name)
            ids = {f.name: f"features/{f.bar}/{name}/{f.name}" for f in found.features}
            stored = [feature for feature, each in ids.items() if each in have]
            if stored and {*ids.values()} <= have | made:
                computed = [feature for feature in ids if feature not in stored]
                joins[part.id] = VectorJoin(self.planned, found, computed, saved)
        return joins

    def _reaches(self, part: Part, high: int) -> bool:
        """Say whether a part's rows are stored from the history's start on."""
        spans = self.ledger.valid(part.id, part.key, self.marks)
        return any(span.first <= self.first and span.last >= high for span in spans)

    def _at(
        self,
        row: int,
        wanted: Sequence[Part],
        reads: Reads,
        saved: Saved | None,
    ) -> _Live:
        """Return a program at a row or before it; without `saved` at the history's start."""
        every = sum(part.maker == "machine" for part in wanted) == len(self.planned.routes)
        whole = self.planned.second is not None or every
        plan = self.planned.plan if whole else SubPlan(self.planned.plan, reads)
        names = Names(plan, self.root)
        live = _Live(Program(plan, BLOCK_ROWS), names, self.first, reads)
        rows = {at for at, mark, _ in self.ledger.states if at <= row and self.marks(at) == mark}
        rows |= {at for at in self._pieces if at <= row}
        for at in sorted(rows, reverse=True):
            if saved is None or at <= self.first:
                break
            pieces = merge(saved.pieces(at), self._pieces.get(at, {}))
            state = join(plan, names, pieces)
            if state is not None and self._take_routes(wanted, pieces):
                live.program.restore(state)
                live.row = at
                return live
        for part in wanted:
            if part.route is not None:
                part.route.go_on_from(None)
        return live

    def _segment(
        self, live: _Live, rows: Rows, wanted: Sequence[Part], writer: Any, report: Progress
    ) -> None:
        routes = [part.route for part in wanted if part.route is not None]
        collector = Collector(self.planned, live.program, writer, routes)
        size, done = self.project.micro_batch_size, 0
        total = rows[1] - live.row
        if live.row < rows[0]:
            self.replayed.append((live.row, rows[0]))
        for first, last in ((live.row, rows[0]), rows):
            for block in blocks_between(self.tape, first, last, size):
                made = live.program.advance(without(block, self._left_out))
                collector.take(made) if first == rows[0] else collector.pass_over(made)
                if self.planned.second is not None:
                    self.planned.second.take(live.program, made)
                for each in live.joins:
                    each.take(live.program, made, writer if first == rows[0] else None)
                done += len(block["seq"])
                report("compute", done, total, self.planned.instrument.symbol)
            for each in live.joins:
                each.flush(writer if first == rows[0] else None)
        collector.flush()
        live.row = rows[1]
        self._finish(live, wanted, collector)

    def _finish(self, live: _Live, wanted: Sequence[Part], collector: Collector) -> None:
        """Keep the state at a segment's end, and what was counted."""
        plan = live.program.plan
        pieces = split(plan, live.names, live.program.save())
        for part in wanted:
            if part.route is not None and part.route.period_ns:
                before = part.route.before or {}
                words = [before[name] for name in BEFORE if before]
                pieces[f"b:{part.key}"] = np.array(words, np.int64)
        self._pieces[live.row] = merge(self._pieces.get(live.row, {}), pieces)
        for key, parts in collector.barriers.items():
            self.verticals.setdefault(key, []).extend(parts)
        if live.row == self.high and any(part.maker == ACCOUNTING for part in wanted):
            accounts, directions = direction_counts(
                live.program, self.planned, self.tape, self._left_out
            )
            bars = {name: live.program.rows[name] for name in self.planned.state.bar_clocks}
            self.facts = {"accounts": accounts, "directions": directions, "bars": bars}

    @property
    def state(self) -> Pieces:
        """Return the state at the end of the range, in pieces; empty where nothing was run."""
        return self._pieces.get(self.high, {})

    def _take_routes(self, wanted: Sequence[Part], pieces: Pieces) -> bool:
        for part in wanted:
            if part.route is None or not part.route.period_ns:
                continue
            words = pieces.get(f"b:{part.key}")
            if words is None:
                return False
            part.route.go_on_from(dict(zip(BEFORE, words.tolist(), strict=False)))
        return True


def without(block: dict[str, np.ndarray], kinds: frozenset[int]) -> dict[str, np.ndarray]:
    """Return the rows of a block that are of no kind left out."""
    if not kinds:
        return block
    keep = np.ones(len(block["kind"]), np.bool_)
    for kind in kinds:
        keep &= block["kind"] != kind
    return block if keep.all() else {name: column[keep] for name, column in block.items()}


def run_symbol(
    project: Project,
    tape: TapeFile,
    planned: SymbolPlan,
    writer: Any,
    end: int | None,
    report: Progress,
) -> SymbolResult:
    """Push one symbol's whole tape through its program and write all that comes out."""
    symbol = planned.instrument.symbol
    program = Program(planned.plan, BLOCK_ROWS)
    collector = Collector(planned, program, writer)
    done, left_out = 0, kinds_left_out(project.sources)
    for block in tape.blocks(project.micro_batch_size, project.history_start_ns, end):
        made = program.advance(without(block, left_out))
        collector.take(made)
        if planned.second:
            planned.second.take(program, made)
        done += len(block["seq"])
        report("compute", done, tape.rows, symbol)
    collector.flush()
    agreements = planned.second.finish(program, writer) if planned.second else []
    bars = {name: program.rows[name] for name in planned.state.bar_clocks}
    accounts, directions = direction_counts(program, planned, tape, left_out)
    return SymbolResult(symbol, tape, bars, accounts, directions, agreements, collector.barriers)


@dataclass
class _Live:
    """A program, where on the tape it stands, and what it hands out."""

    program: Program
    names: Names
    row: int
    reads: Reads
    joins: list[VectorJoin] = field(default_factory=list)

    def stands(self, row: int, reads: Reads) -> bool:
        """Say whether it can go on from a row with the same reads."""
        return self.row == row and self.reads == reads
