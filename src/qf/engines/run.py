"""A batch run: what is missing of every symbol, in one transaction, and what the user should know.

1. own the project (a second process is refused);
2. ingest every symbol's providers to its tape (cached by content), several symbols at once;
3. find which parts of every symbol's tables are there already: made by the same definitions and
   code from the same input (parts.py, ledger.py); make the rest (symbol_work.py), several symbols
   at once, where the executor says (executors/);
4. drop what no definition makes any more; write symbol after symbol, in the project's order, so
   that the tables are the same whoever computed (symbol_change.py);
5. commit everything, or nothing; then let the Parquet files follow;
6. account for every frame, count how directions were found, warn about what stayed empty.

One symbol, or one worker, needs no crew: its rows go straight to the database. Rows of a thread are
taken while they are made (row_stream.py), those of other workers from files when they are done.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from qf.clock import format_time, wall_ns
from qf.engines import executors, job
from qf.engines.cross_stage import CrossStage
from qf.engines.executors import Crew, Options
from qf.engines.ledger import Ledger
from qf.engines.parts import CARRIED, RAW_TABLES
from qf.engines.progress import Board, Progress
from qf.engines.row_stream import RowStream
from qf.engines.run_result import RunResult, SymbolResult
from qf.engines.shared_times import shared_times
from qf.engines.sources import open_tape
from qf.engines.stale import drop_stale, forget_anew
from qf.engines.state_files import StateFiles
from qf.engines.symbol_change import SymbolChange
from qf.engines.symbol_plan import STATE_TABLES, plan_symbol
from qf.engines.symbol_run import run_symbol, without
from qf.engines.symbol_work import Asked, SymbolWork
from qf.errors import QuantflowError, RunError, diagnostic, nearest
from qf.project.model import Project
from qf.schema import NULL_INT
from qf.schema_tables import TABLES, Table
from qf.store.change import Change
from qf.store.duck import Store
from qf.store.lock import project_lock
from qf.store.record import RunRecord
from qf.store.segments import forget_files
from qf.tape.tape_file import TapeFile

__all__ = [
    "RunResult",
    "SymbolResult",
    "refuse_empty",
    "run_project",
    "run_symbol",
    "without",
]

EMPTY_RANGE = diagnostic(
    "QF510",
    "there is no event of {symbol} between {start} and {end}",
    RunError,
    "the tape runs from {first} to {last}",
)
EMPTY_TAPE = diagnostic(
    "QF513", "the feed providers of {symbol} hold no frame of it", RunError, "check the symbol"
)
UNKNOWN_STAGE = diagnostic("QF511", "there is no stage {name!r}", hint="stages: {known}")
UNKNOWN_SYMBOL = diagnostic("QF512", "the project has no symbol {name!r}", hint="it has {known}")

STAGES: dict[str, tuple[str, ...]] = {
    "ingest": tuple(RAW_TABLES),
    "state": STATE_TABLES,
    "label": ("labels",),
    "feature": ("features", "vectors"),
}
Ledgers = Mapping[tuple[str, str], Ledger]


@dataclass(frozen=True)
class RunOptions:
    """What a run may be asked for; times in ns, None: open or the project's choice."""

    engine: str | None = None
    stages: tuple[str, ...] | None = None
    start: int | None = None
    end: int | None = None
    symbols: tuple[str, ...] | None = None
    force: bool = False


def run_project(
    project: Project,
    engine: str | None = None,
    stages: Iterable[str] | None = None,
    start: int | None = None,
    end: int | None = None,
    symbols: Iterable[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Bring the tables of a project up to date for the rows of [start, end) (ns, None: open).

    What is there, of the same definitions, code and input, is kept. `engine` replaces the project's
    choice of feature engine (machine, polars); `stages` narrow what is written; `force` reads the
    sources and computes everything again. Errors: QF3xx, QF5xx, QF6xx; then nothing is written.
    """
    options = RunOptions(
        engine,
        None if stages is None else tuple(stages),
        start,
        end,
        tuple(symbols) if symbols else None,
        force,
    )
    with project_lock(project.folder, wall_ns(), project.paths.lock):
        return run_owned(project, options, progress)


def run_owned(project: Project, options: RunOptions, progress: Progress | None = None) -> RunResult:
    """Do what `run_project` does, for a caller that owns the project already (`project_lock`)."""
    groups = _groups(project, options.stages)
    chosen = _symbols(project, options.symbols)
    renew = options.force or project.force_refresh
    report = progress or (lambda stage, done, total, note: None)
    with _crew(project, len(chosen), report) as hands:
        tapes: dict[str, TapeFile] = {}
        for symbol, tape in hands.tapes(chosen, renew):
            refuse_empty(tape, symbol, options.start, options.end)
            tapes[symbol] = tape
        if options.stages is None or "ingest" in options.stages:
            streams = {stream for tape in tapes.values() for stream in tape.accounts}
            groups |= {CARRIED[stream] for stream in streams & CARRIED.keys()}
        asked = Asked(
            uuid.uuid4().hex[:12],
            (options.start, options.end),
            groups,
            options.engine or project.engine.historical_feature,
            renew,
            everything=options.stages is None and chosen == list(project.symbols),
        )
        return _change(project, tapes, asked, hands)


@dataclass
class _Hands:
    """Who does the work: a crew, or this thread."""

    project: Project
    report: Progress
    crew: Crew | None = None
    board: Board | None = None

    def tapes(self, symbols: list[str], renew: bool) -> Iterator[tuple[str, TapeFile]]:
        """Yield every symbol's tape, in order. Errors: those of the ingest."""
        if self.crew is None or self.board is None:
            for symbol in symbols:
                reading = _reading(self.report, symbol)
                with _named(symbol, symbols):
                    tape = open_tape(self.project, symbol, reading, renew)
                yield symbol, tape
            return
        self.board.begin("ingest", symbols)
        jobs = [job.ingest_job(self.project, symbol, renew) for symbol in symbols]
        for symbol, task in zip(symbols, self.crew(jobs), strict=True):
            with _named(symbol, symbols):
                tape = job.read_tape(task.answer.result())
            self.board.end(symbol)
            yield symbol, tape

    def make(
        self, tapes: Mapping[str, TapeFile], asked: Asked, target: _Target
    ) -> Iterator[SymbolResult]:
        """Make and write every symbol's rows, in order. Errors: those of the engines and store."""
        if self.crew is None or self.board is None:
            for symbol, tape in tapes.items():
                with _named(symbol, tapes):
                    made = self._straight(tape, asked, target)
                yield made
            return
        self.board.begin("compute", list(tapes))
        scratch = self.project.paths.data / "run" / asked.run_id
        jobs = [
            job.compute_job(self.project, tape, asked, target.ledger(tape).row(), scratch)
            for tape in tapes.values()
        ]
        for (symbol, tape), task in zip(tapes.items(), self.crew(jobs), strict=True):
            with _named(symbol, tapes):
                change = target.of(tape)
                if task.stream is not None:
                    change.follow(task.stream)
                answer = job.read_answer(task.answer.result(), tape)
                if task.stream is None:
                    change.begin(answer.intent)
                change.take(answer.intent, answer.files)
                change.end(answer.intent, answer.done)
            self.board.end(symbol)
            yield answer.done.result

    def _straight(self, tape: TapeFile, asked: Asked, target: _Target) -> SymbolResult:
        ledger, writer = target.ledger(tape), target.change.writer
        work = SymbolWork(self.project, tape, asked, ledger.row(), self.report)
        intent, change = work.intent(), target.of(tape)
        change.begin(intent)
        work.make(writer, target.change)
        done = work.done(writer)
        change.end(intent, done)
        return done.result


@dataclass(frozen=True)
class _Target:
    """The transaction that everything goes into, and what the last run left."""

    change: Change
    tables: Mapping[str, Table]
    ledgers: Ledgers

    def ledger(self, tape: TapeFile) -> Ledger:
        """Return what is computed of a tape's symbol."""
        return self.ledgers.get((tape.instrument.venue, tape.instrument.symbol)) or Ledger()

    def of(self, tape: TapeFile) -> SymbolChange:
        """Return what carries out a symbol's work."""
        return SymbolChange(self.change, self.tables, self.ledger(tape))


@contextmanager
def _crew(project: Project, symbols: int, report: Progress) -> Iterator[_Hands]:
    """Yield who does the work, and leave nothing of it behind."""
    name = project.local.executor
    row = project.local.engine(name)
    given = dict(row.options) if row else {}
    options = Options(report, given.get("workers"), given.get("address") or "")
    if name == "local" and min(options.count, symbols) < 2:
        yield _Hands(project, report)
        return
    board = Board(report)
    options = Options(board, options.workers, options.address)
    open_crew = executors.find(name)
    shutil.rmtree(project.paths.data / "run", ignore_errors=True)  # of a run that was killed
    try:

        def work(text: str, tell: Progress, stream: RowStream) -> str:
            return job.carry_out(text, tell, project, stream)

        with open_crew(options, work) as crew:
            yield _Hands(project, report, crew, board)
    finally:
        shutil.rmtree(project.paths.data / "run", ignore_errors=True)


@contextmanager
def _named(symbol: str, among: Sized) -> Iterator[None]:
    """Let an error of one symbol among several say which it is."""
    try:
        yield
    except QuantflowError as error:
        if symbol in error.sentence or len(among) < 2:
            raise
        sentence = f"{symbol}: {error.sentence}"
        raise type(error)(error.code, sentence, error.place, error.near, error.hint) from error


def _reading(report: Progress, symbol: str) -> Callable[[int], None]:
    return lambda done: report("ingest", done, 0, symbol)


def _change(
    project: Project, tapes: Mapping[str, TapeFile], asked: Asked, hands: _Hands
) -> RunResult:
    result = RunResult(asked.run_id, project.paths.database)
    record = RunRecord(
        asked.run_id,
        definitions_hash=project.definitions_hash,
        versions={name: version(name) for name in ("qf", "numba", "numpy", "polars", "duckdb")},
        created=wall_ns(),
        quote_asof=project.enrich.quote_asof,
        quote_lag_ms=project.enrich.quote_lag_ms,
    )
    tables = _tables(project, next(iter(tapes.values())), asked.groups)
    project.paths.database.parent.mkdir(parents=True, exist_ok=True)
    with Store(project.paths.database, project.name) as store:
        ledgers = {key: Ledger.read(told) for key, told in store.ledgers().items()}
        if hands.crew is not None:
            store.mend_parquet(project.paths.parquet)  # workers read what is stored from there
        parquet, keeps = project.paths.parquet, keeps_files(project)
        if hands.crew is None and not keeps:
            forget_files(project.name, parquet)
            parquet = None
        instruments = [tape.instrument for tape in tapes.values()]
        symbols = [(each.venue, each.symbol) for each in instruments]
        with store.change(record, parquet, symbols) as change:
            if asked.everything:
                result.notes += drop_stale(project, change, ledgers, asked.groups)
            change.make(tables.values())
            change.name_regimes(project.regimes)
            forget_anew(change, ledgers)
            target = _Target(change, tables, ledgers)
            for each in hands.make(tapes, asked, target):
                result.symbols.append(each)
                result.warnings += each.warnings
            change.finish()
            if project.cross_sets and "vectors" in asked.groups:
                left = {key: Ledger.read(told) for key, told in store.ledgers().items()}
                stage = CrossStage(project, change, tapes, left, asked, hands.report)
                result.notes += stage.run()
            result.counts = dict(sorted(change.totals().items()))
        states = StateFiles(project.paths.state)
        states.sweep(file for told in store.ledgers().values() for _, _, file in told["states"])
        result.notes += store.notes
        if not keeps:  # a crew had them for as long as it ran
            forget_files(project.name, project.paths.parquet)
    result.notes += shared_times(project)
    return result


def keeps_files(project: Project) -> bool:
    """Say whether the Parquet files beside the database are wanted: `parquet` of its engine."""
    row = project.local.engine("duckdb")
    return row is None or row.options.get("parquet") is not False


def _tables(project: Project, tape: TapeFile, groups: frozenset[str]) -> dict[str, Table]:
    """Return the tables that the run may write: the same of every symbol."""
    planned = plan_symbol(project, tape.instrument, tape.continuity, groups)
    copied = [TABLES[name] for group in groups for _, name in RAW_TABLES.get(group, ())]
    found = [TABLES["instruments"], *planned.tables(), *copied]
    return {table.name: table for table in found}


def _groups(project: Project, stages: Iterable[str] | None) -> frozenset[str]:
    if stages is None:
        return project.tables
    wanted: set[str] = set()
    for stage in stages:
        if stage not in STAGES:
            raise UNKNOWN_STAGE(name=stage, known=", ".join(STAGES), near=nearest(stage, STAGES))
        wanted |= set(STAGES[stage])
    return project.tables & wanted


def _symbols(project: Project, symbols: Iterable[str] | None) -> list[str]:
    chosen = list(dict.fromkeys(symbols or project.symbols))
    for name in chosen:
        if name not in project.symbols:
            known = ", ".join(project.symbols)
            raise UNKNOWN_SYMBOL(name=name, known=known, near=nearest(name, project.symbols))
    return chosen


def refuse_empty(tape: TapeFile, symbol: str, start: int | None, end: int | None) -> None:
    """Refuse a tape or a range without an event. Errors: QF510, QF513."""
    first, last = tape.first_time, tape.last_time
    if first == NULL_INT:
        raise EMPTY_TAPE(symbol=symbol, hint=_other_symbols(tape))
    if (start is not None and last < start) or (end is not None and first >= end):
        raise EMPTY_RANGE(
            symbol=symbol,
            start="the beginning" if start is None else format_time(start),
            end="the end" if end is None else format_time(end),
            first=format_time(first),
            last=format_time(last),
        )


def _other_symbols(tape: TapeFile) -> str:
    """Return what the sources hold instead of a symbol's frames."""
    if not tape.manifest["others"]:
        return "the sources hold no frame at all of any symbol: is the path right?"
    return f"the frames there are of: {', '.join(tape.manifest['others'])}"
