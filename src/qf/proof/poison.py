"""Prove that nothing looks ahead: spoil the future, and demand the same past.

At random instants of the tape everything later is replaced by garbage (garbage.py). Every row of
every table that says it was known at or before the instant must keep every bit. A label looks
forward by definition: its row counts as known at its label_end. What differs is named: table and
column, the first row, and the op or formula in which the past first differs.

The same is done one step earlier: the frames that a tape is read from become garbage after an
instant (poison_frames.py), and a run goes on from a stored one into garbage (poison_growth.py).

    report = poison(project, instants=12, seed=0)
    report.clean, report.leaks, report.lines(), report.json()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from qf.clock import format_time, wall_ns
from qf.compile import compile_kernels
from qf.engines.sources import open_tape
from qf.errors import RefusedError, diagnostic, nearest
from qf.project.model import Project
from qf.proof.frame_garbage import KINDS as FRAME_KINDS
from qf.proof.garbage import KINDS
from qf.proof.poison_blame import Blame
from qf.proof.poison_cross import CrossPoison
from qf.proof.poison_frames import FRAMES, READING, Changed, head, poison_frames
from qf.proof.poison_growth import GROWTH, NEW_FILE, NO_FRAMES, holds_frames, poison_growth
from qf.proof.poison_runs import MACHINE, POLARS, Spoilt, SymbolRuns, choose_instants
from qf.proof.poison_tables import Difference, differences
from qf.store.lock import project_lock
from qf.tape.tape_file import TapeFile

UNKNOWN_ENGINE = diagnostic(
    "QF541", "there is no engine {name!r} to poison", hint="engines: {known}"
)
LEAKS = diagnostic(
    "QF542",
    "{columns} column(s) know what comes after them",
    RefusedError,
    "look at the op or formula named above: what it reads must be known when its row is",
)

# Two of them make tables of a tape; the others read frames, and go on from what is stored.
ENGINES = (MACHINE, POLARS, FRAMES, GROWTH)
INSTANTS = 16
INSTANTS_OF_FRAMES = 4  # so many instants of a tape for one among its frames
KINDS_AT_ONE_INSTANT = 2

Progress = Callable[[str, int, int, str], None]
Source = Callable[[str, Spoilt, Difference], str]  # engine, instant, column: what makes it


@dataclass(frozen=True)
class Leak:
    """One column of a table whose past changed with the future: its first such row."""

    symbol: str
    engine: str
    table: str
    column: str
    of: tuple[str, ...]  # the clock, feature or label that the rows belong to
    row: str  # the row's key in words
    known: int  # when the row says it was known, ns
    instant: int  # receive time of the last frame that was not replaced, ns
    seq: int  # that frame's seq
    garbage: str
    before: Any
    after: Any
    rows: int  # rows of this column that differ at that instant
    source: str  # the op or formula it comes from

    def line(self) -> str:
        """Return the leak in one line."""
        times = f"known {format_time(self.known)}, spoilt after {format_time(self.instant)}"
        return (
            f"{self.table}.{self.column} ({self.engine}): {self.row}, {times} (seq {self.seq}, "
            f"{self.garbage}): {self.before!r} became {self.after!r}; from {self.source}"
        )


@dataclass
class Report:
    """What poisoning came to."""

    seed: int
    leaks: list[Leak] = field(default_factory=list)
    instants: int = 0
    runs: int = 0  # an instant and a kind of garbage, on one engine
    rows: int = 0  # rows that were known and compared, over all runs
    tables: dict[str, int] = field(default_factory=dict)  # rows of the clean run, by table
    engines: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Say whether no column leaks."""
        return not self.leaks

    def refuse(self) -> None:
        """Do nothing where no column leaks. Errors: QF542."""
        if self.leaks:
            raise LEAKS(columns=len({(leak.table, leak.column, leak.of) for leak in self.leaks}))

    def lines(self) -> list[str]:
        """Return what a person reads."""
        lines = [
            f"{self.instants} instants, {self.runs} runs into garbage "
            f"({', '.join(self.kinds)}), engines: {', '.join(self.engines)}, seed {self.seed}",
            f"{len(self.tables)} tables, {self.rows:,} known rows compared",
        ]
        lines += [f"LEAK {leak.line()}" for leak in self.leaks]
        lines += [] if self.leaks else ["no column looks ahead"]
        return lines

    def json(self) -> dict[str, Any]:
        """Return what a script reads."""
        return {
            "clean": self.clean,
            "seed": self.seed,
            "instants": self.instants,
            "runs": self.runs,
            "rows": self.rows,
            "tables": self.tables,
            "engines": self.engines,
            "kinds": self.kinds,
            "notes": self.notes,
            "leaks": [asdict(leak) for leak in self.leaks],
        }


def poison(
    project: Project,
    instants: int = INSTANTS,
    seed: int = 0,
    engines: Iterable[str] = ENGINES,
    span: tuple[int | None, int | None] = (None, None),
    progress: Progress | None = None,
) -> Report:
    """Return which columns of the project's tables know what comes after them.

    `instants` per symbol are drawn with `seed` from the frames received in `span`, [start, end) in
    ns; the history before it is run all the same. `engines` are machine and polars, which make the
    tables; frames, the reading of the symbol's first frames; and growth, a run that goes on from a
    stored one. Nothing of the project is stored but the tape's cache.
    Errors: QF3xx, QF500-QF503, QF540, QF541.
    """
    report = progress or (lambda stage, done, total, note: None)
    chosen = tuple(dict.fromkeys(engines))
    for name in chosen:
        if name not in ENGINES:
            known = ", ".join(ENGINES)
            raise UNKNOWN_ENGINE(name=name, known=known, near=nearest(name, ENGINES))
    found = Report(seed)
    cross = CrossPoison(project, span[1], report) if MACHINE in chosen else None
    for part in cross.clean.values() if cross is not None else ():
        rows = len(part.columns[part.table.made])
        found.tables[part.table.name] = found.tables.get(part.table.name, 0) + rows
    for symbol in project.symbols:
        with project_lock(project.folder, wall_ns(), project.paths.lock):
            tape = open_tape(project, symbol)
        if {MACHINE, POLARS} & {*chosen}:
            _poison_symbol(project, tape, instants, (chosen, span), (found, report, cross))
        _poison_reading(project, symbol, instants, chosen, (found, report))
    found.kinds = [kind for kind in (*KINDS, *FRAME_KINDS) if kind in found.kinds]
    found.notes = list(dict.fromkeys(found.notes))
    return found


def _poison_symbol(
    project: Project,
    tape: TapeFile,
    count: int,
    asked: tuple[tuple[str, ...], tuple[int | None, int | None]],
    told: tuple[Report, Progress, CrossPoison | None],
) -> None:
    (engines, (start, end)), (found, report, cross) = asked, told
    symbol = tape.instrument.symbol
    report("clean run", 0, 1, symbol)
    runs = SymbolRuns(project, tape, end, engines, lambda plan: compile_kernels(plan.ops(), report))
    report("clean run", 1, 1, symbol)
    instants = choose_instants(runs, count, found.seed, start)
    kinds = [_kinds_at(number) for number in range(len(instants))]
    blame = Blame(runs)
    seen: dict[tuple[str, ...], Leak] = {}
    total = sum(map(len, kinds))
    for done, (spoilt, tables) in enumerate(runs.spoilt(instants, kinds, found.seed)):
        report("poison", done, total, f"{symbol}, {spoilt.kind}")
        found.kinds.append(spoilt.kind)
        for engine, spoilt_tables in tables.items():
            apart, rows = differences(runs.clean[engine], spoilt_tables, spoilt.at)
            found.rows, found.runs = found.rows + rows, found.runs + 1
            for each in apart:
                _note(seen, symbol, engine, spoilt, each, blame.source)
        apart, rows = runs.published_differences(spoilt)
        found.rows += rows
        for each in apart:
            _note(seen, symbol, "tape", spoilt, each, blame.source)
        if cross is not None and MACHINE in tables:
            apart, rows = cross.differences(symbol, tables[MACHINE], spoilt.at)
            found.rows += rows
            for each in apart:
                _note(seen, symbol, MACHINE, spoilt, each, cross.source)
    report("poison", total, total, symbol)
    found.leaks += sorted(seen.values(), key=lambda leak: (leak.table, leak.column, leak.engine))
    found.instants += len(instants)
    found.engines = list(dict.fromkeys((*found.engines, *runs.engines)))
    found.notes += runs.notes
    for engine in runs.engines:
        for key, part in runs.clean[engine].items():
            if engine == runs.engines[0]:
                rows = len(part.columns[part.table.made])
                found.tables[key[0]] = found.tables.get(key[0], 0) + rows


def _poison_reading(
    project: Project,
    symbol: str,
    count: int,
    chosen: tuple[str, ...],
    told: tuple[Report, Progress],
) -> None:
    """Spoil the frames that a symbol's tape is read from, and those that a next run would read."""
    found, report = told
    if not {FRAMES, GROWTH} & {*chosen}:
        return
    source, instrument = head(project, symbol)
    if FRAMES in chosen:

        def tell(done: int, total: int, kind: str) -> None:
            found.kinds.append(kind)
            report("frames", done, total, f"{symbol}, {kind}")

        places = max(1, count // INSTANTS_OF_FRAMES)
        changed, rows, runs = poison_frames(source, instrument, places, found.seed, tell)
        found.rows, found.runs = found.rows + rows, found.runs + runs
        found.instants += runs
        _keep(found, FRAMES, symbol, changed, READING)
    if GROWTH in chosen and not holds_frames(source):
        found.notes.append(NO_FRAMES.format(symbol=symbol))
    elif GROWTH in chosen:
        report("growth", 0, 1, symbol)
        changed, rows = poison_growth(project, source, instrument, found.seed)
        report("growth", 1, 1, symbol)
        found.rows, found.runs = found.rows + rows, found.runs + 1
        found.instants += 1
        _keep(found, GROWTH, symbol, changed, NEW_FILE)


def _keep(found: Report, engine: str, symbol: str, changed: list[Changed], source: str) -> None:
    """Report the first change of every column."""
    found.engines = list(dict.fromkeys((*found.engines, engine)))
    first = {(each.table, each.column): each for each in reversed(changed)}
    for _, each in sorted(first.items()):
        row, seq = (each.row, each.time, each.instant), each.seq
        values = (each.kind, each.before, each.after, each.rows)
        found.leaks.append(
            Leak(symbol, engine, each.table, each.column, (), *row, seq, *values, source)
        )


def _kinds_at(number: int) -> list[str]:
    """Return the kinds of garbage of one instant: they take turns, so that all get theirs."""
    names, first = list(KINDS), number * KINDS_AT_ONE_INSTANT
    return [names[(first + turn) % len(names)] for turn in range(KINDS_AT_ONE_INSTANT)]


def _note(
    seen: dict[tuple[str, ...], Leak],
    symbol: str,
    engine: str,
    spoilt: Spoilt,
    each: Difference,
    blame: Source,
) -> None:
    """Keep the earliest row of a leaking column."""
    key = (engine, *each.key, each.column)
    if key in seen and seen[key].known <= each.time:
        return
    source = seen[key].source if key in seen else blame(engine, spoilt, each)
    seen[key] = Leak(
        symbol,
        engine,
        each.table,
        each.column,
        each.key[1:],
        each.row,
        each.time,
        spoilt.at.time,
        spoilt.at.seq,
        spoilt.kind,
        each.before,
        each.after,
        each.rows,
        source,
    )
