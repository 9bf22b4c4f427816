"""A batch run: what is missing of every symbol, in one transaction, and what the user should know.

1. own the project (a second process is refused);
2. ingest every symbol's providers to its tape (cached by content);
3. wire every symbol's program for the tables that are asked for, and find which parts of them are
   there already: made by the same definitions and code from the same input (parts.py, ledger.py);
4. drop what no definition makes any more; compute and write the rest (symbol_run.py);
5. commit everything, or nothing; then let the Parquet files follow;
6. account for every frame, count how directions were found, warn about what stayed empty.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version

from qf import kernel
from qf.clock import format_time, wall_ns
from qf.engines.account import warnings_of
from qf.engines.ledger import Ledger
from qf.engines.parts import parts_of, root_name
from qf.engines.run_result import RunResult, SymbolResult
from qf.engines.sources import open_tape
from qf.engines.stale import drop_stale, forget_anew
from qf.engines.state_files import StateFiles
from qf.engines.symbol_change import SymbolChange
from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.engines.symbol_run import SymbolRun, run_symbol, without
from qf.errors import RunError, diagnostic, nearest
from qf.pieces import Names
from qf.plan import Plan
from qf.project.model import Project
from qf.schema import NULL_INT
from qf.store.change import Change
from qf.store.duck import Store
from qf.store.lock import project_lock
from qf.store.record import RunRecord
from qf.tape.tape_file import TapeFile

__all__ = [
    "RunResult",
    "SymbolResult",
    "compile_kernels",
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
UNKNOWN_STAGE = diagnostic("QF511", "there is no stage {name!r}", hint="stages: {known}")
UNKNOWN_SYMBOL = diagnostic("QF512", "the project has no symbol {name!r}", hint="it has {known}")

STAGES: dict[str, tuple[str, ...]] = {
    "ingest": ("raw", "bbo", "funding"),
    "state": ("enriched", "bars", "l2"),
    "label": ("labels",),
    "feature": ("features", "vectors"),
}
# These exist whenever a provider carries them: stream of the accounting -> group.
CARRIED = {"mark": "funding", "liquidation": "liquidations"}
Progress = Callable[[str, int, int, str], None]


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
    report = progress or (lambda stage, done, total, note: None)
    stages = None if stages is None else list(stages)
    groups = _groups(project, stages)
    chosen = _symbols(project, symbols)
    renew = force or project.force_refresh
    with project_lock(project.folder, wall_ns(), project.paths.lock):
        tapes: dict[str, TapeFile] = {}
        for symbol in chosen:
            tape = open_tape(project, symbol, _reading(report, symbol), renew)
            refuse_empty(tape, symbol, start, end)
            tapes[symbol] = tape
        if stages is None or "ingest" in stages:
            streams = {stream for tape in tapes.values() for stream in tape.accounts}
            groups |= {CARRIED[stream] for stream in streams & CARRIED.keys()}
        plans = {
            symbol: plan_symbol(project, tape.instrument, tape.continuity, groups)
            for symbol, tape in tapes.items()
        }
        everything = stages is None and chosen == list(project.symbols)
        asked = _Asked(
            (start, end), groups, engine or project.engine.historical_feature, renew, everything
        )
        return _change(project, tapes, plans, asked, report)


@dataclass(frozen=True)
class _Asked:
    """What a run was asked for."""

    span: tuple[int | None, int | None]
    groups: frozenset[str]
    engine: str
    force: bool
    everything: bool  # all stages of all symbols


def _reading(report: Progress, symbol: str) -> Callable[[int], None]:
    return lambda done: report("ingest", done, 0, symbol)


def compile_kernels(plans: Iterable[Plan], report: Progress) -> None:
    """Compile what the plans need and the cache lacks, telling how far it is."""
    ops = {(i.op.family, i.op.name): i.op for plan in plans for i in plan.instructions}
    missing = [op for op in ops.values() if not kernel.is_cached(op)]
    for done, op in enumerate(missing):
        report("compile", done, len(missing), op.name)
        kernel.address(op)
    if missing:
        report("compile", len(missing), len(missing), "")


def _change(
    project: Project,
    tapes: dict[str, TapeFile],
    plans: dict[str, SymbolPlan],
    asked: _Asked,
    report: Progress,
) -> RunResult:
    result = RunResult(uuid.uuid4().hex[:12], project.paths.database)
    record = RunRecord(
        result.run_id,
        plan_hash=",".join(planned.plan.hash() for planned in plans.values()),
        definitions_hash=project.definitions_hash,
        input_hashes={symbol: tape.key for symbol, tape in tapes.items()},
        versions={name: version(name) for name in ("qf", "numba", "numpy", "polars", "duckdb")},
        created=wall_ns(),
    )
    states = StateFiles(project.paths.state)
    project.paths.database.parent.mkdir(parents=True, exist_ok=True)
    with Store(project.paths.database, project.name) as store:
        ledgers = {key: Ledger.read(told) for key, told in store.ledgers().items()}
        with store.change(record, project.paths.parquet) as change:
            if asked.everything:
                result.notes += drop_stale(project, change, ledgers, asked.groups)
            for planned in plans.values():
                tables = planned.tables()
                change.prepare(tables, planned.instrument.venue, planned.instrument.symbol)
            forget_anew(change, ledgers)
            for symbol, tape in tapes.items():
                each = _one(project, tape, plans[symbol], (change, ledgers, states), asked, report)
                result.symbols.append(each)
                result.warnings += [*each.warnings, *warnings_of(each, project)]
            result.counts = dict(sorted(change.totals().items()))
        states.sweep(file for told in store.ledgers().values() for _, _, file in told["states"])
        result.notes += store.notes
    return result


def _one(
    project: Project,
    tape: TapeFile,
    planned: SymbolPlan,
    kept: tuple[Change, dict[tuple[str, str], Ledger], StateFiles],
    asked: _Asked,
    report: Progress,
) -> SymbolResult:
    """Bring one symbol up to date inside the run's transaction."""
    change, ledgers, states = kept
    ledger = ledgers.setdefault((planned.instrument.venue, planned.instrument.symbol), Ledger())
    run = SymbolRun(project, tape, planned, ledger, asked.span)
    run.root = root_name(project, run.first)
    names = Names(planned.plan, run.root)
    run.decide(parts_of(project, planned, names, asked.groups, asked.engine), asked.force)
    if any(need.part.maker == "polars" for need in run.needs):
        from qf.engines.polars_run import PolarsRun

        planned.second = PolarsRun(project, planned)
    if run.needs:
        compile_kernels([planned.plan], report)
    if asked.force:
        ledger.states = []
    whole = asked.everything and asked.groups >= project.tables
    return SymbolChange(change, run, states, names, whole).carry_out(report)


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
    chosen = list(symbols or project.symbols)
    for name in chosen:
        if name not in project.symbols:
            known = ", ".join(project.symbols)
            raise UNKNOWN_SYMBOL(name=name, known=known, near=nearest(name, project.symbols))
    return chosen


def refuse_empty(tape: TapeFile, symbol: str, start: int | None, end: int | None) -> None:
    """Refuse a range without an event. Errors: QF510."""
    first, last = tape.first_time, tape.last_time
    empty = first == NULL_INT or (start is not None and last < start)
    if empty or (end is not None and first >= end):
        raise EMPTY_RANGE(
            symbol=symbol,
            start="the beginning" if start is None else format_time(start),
            end="the end" if end is None else format_time(end),
            first="nothing" if first == NULL_INT else format_time(first),
            last="nothing" if last == NULL_INT else format_time(last),
        )
