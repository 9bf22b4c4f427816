"""A batch run: the stages in order, one transaction, and what the user should know of it.

1. own the project (a second process is refused);
2. ingest every symbol's providers to its tape (cached by content);
3. compile every symbol's program for the tables that are asked for;
4. push the tape in blocks of micro_batch_size from the history's start, and write the rows;
5. commit everything, or nothing;
6. account for every frame, count how directions were found, warn about what stayed empty.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qf import kernel
from qf.clock import format_time, parse_time, wall_ns
from qf.engines.account import account_lines, direction_counts, kinds_left_out, warnings_of
from qf.engines.collect import Collector
from qf.engines.sources import open_tape
from qf.engines.symbol_plan import SymbolPlan, plan_symbol
from qf.errors import RunError, diagnostic, nearest
from qf.program import Plan, Program
from qf.project.model import Project
from qf.schema import NULL_INT
from qf.schema_tables import TABLES
from qf.store.duck import Store
from qf.store.lock import project_lock
from qf.store.record import RunRecord
from qf.tape.instruments import Instrument
from qf.tape.tape_file import TapeFile

if TYPE_CHECKING:
    from qf.engines.polars_run import Agreement

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
# Tables that are stored as the tape has them: (name on the tape, table).
RAW_TABLES = {
    "raw": (("trades", "cdm_trades"), ("lob_incremental", "cdm_lob_incremental")),
    "bbo": (("bbo", "cdm_bbo"),),
    "funding": (("funding", "cdm_funding"),),
    "liquidations": (("liquidations", "cdm_liquidations"),),
}
# These exist whenever a provider carries them: stream of the accounting -> group.
CARRIED = {"mark": "funding", "liquidation": "liquidations"}
# Compiled blocks of this many tape rows stay in the second-level cache.
BLOCK_ROWS = 2048

Progress = Callable[[str, int, int, str], None]


@dataclass
class SymbolResult:
    """What one symbol's run came to."""

    symbol: str
    tape: TapeFile
    planned: SymbolPlan
    bars: dict[str, int]
    accounts: dict[str, dict[str, int]]
    directions: dict[str, int]
    agreements: list[Agreement] = field(default_factory=list)  # with the Polars engine only
    barriers: dict[tuple[str, str], list[np.ndarray]] = field(default_factory=dict)


@dataclass
class RunResult:
    """What a run did: rows by table, bars by clock, the accounting and the warnings."""

    run_id: str
    database: Path
    counts: dict[str, int] = field(default_factory=dict)
    symbols: list[SymbolResult] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the summary a person reads."""
        lines = []
        for each in self.symbols:
            span = f"{format_time(each.tape.first_time)} to {format_time(each.tape.last_time)}"
            held = "cached tape" if each.tape.cached else "new tape"
            lines.append(f"{each.symbol}: {each.tape.frames:,} frames, {span} ({held})")
            lines += [f"  {line}" for line in account_lines(each.accounts)]
            found = ", ".join(f"{name} {n:,}" for name, n in each.directions.items() if n)
            lines.append(f"  direction from: {found or 'no trade'}")
            for clock, bars in each.bars.items():
                lines.append(f"  {clock}: {bars:,} bars")
            if each.agreements:
                from qf.engines.polars_run import agreement_lines

                lines += [f"  {line}" for line in agreement_lines(each.agreements)]
        width = max((len(name) for name in self.counts), default=0)
        lines += [f"{name:<{width}} {rows:>12,} rows" for name, rows in self.counts.items()]
        lines += self.notes
        lines.append(f"in {self.database}")
        return lines

    def json(self) -> dict[str, Any]:
        """Return the summary a script reads."""
        return {
            "run_id": self.run_id,
            "database": str(self.database),
            "tables": dict(self.counts),
            "symbols": [
                {
                    "symbol": each.symbol,
                    "frames": each.tape.frames,
                    "first_time": each.tape.first_time,
                    "last_time": each.tape.last_time,
                    "cached": each.tape.cached,
                    "bars": each.bars,
                    "accounts": each.accounts,
                    "directions": each.directions,
                    "agreements": [asdict(agreement) for agreement in each.agreements],
                }
                for each in self.symbols
            ],
            "warnings": self.warnings,
        }


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
    """Run a project over its providers and write the rows of [start, end) (ns, None: open).

    `engine` replaces the project's choice of feature engine (machine, polars); `stages` narrow
    what is written; `force` makes the tapes anew. Errors: QF3xx, QF5xx, QF6xx; then nothing is
    written.
    """
    report = progress or (lambda stage, done, total, note: None)
    stages = None if stages is None else list(stages)
    groups = _groups(project, stages)
    chosen = _symbols(project, symbols)
    with project_lock(project.folder, wall_ns(), project.paths.lock):
        tapes: dict[str, TapeFile] = {}
        renew = force or project.force_refresh
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
        if (engine or project.engine.historical_feature) == "polars":
            from qf.engines.polars_run import PolarsRun

            for planned in plans.values():
                planned.second = PolarsRun(project, planned)
        compile_kernels([each.plan for each in plans.values()], report)
        return _write(project, tapes, plans, groups, (start, end), report)


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


def _write(
    project: Project,
    tapes: dict[str, TapeFile],
    plans: dict[str, SymbolPlan],
    groups: frozenset[str],
    span: tuple[int | None, int | None],
    report: Progress,
) -> RunResult:
    result = RunResult(uuid.uuid4().hex[:12], project.paths.database)
    tables = {t.name: t for planned in plans.values() for t in planned.tables()}
    raw = [pair for group in sorted(groups) for pair in RAW_TABLES.get(group, ())]
    tables |= {name: TABLES[name] for _, name in (*raw, ("", "instruments"))}
    record = RunRecord(
        result.run_id,
        plan_hash=",".join(planned.plan.hash() for planned in plans.values()),
        definitions_hash=project.definitions_hash,
        input_hashes={symbol: tape.key for symbol, tape in tapes.items()},
        versions={name: version(name) for name in ("qf", "numba", "numpy", "polars", "duckdb")},
        created=wall_ns(),
    )
    keys = [(tape.instrument.venue, symbol) for symbol, tape in tapes.items()]
    project.paths.database.parent.mkdir(parents=True, exist_ok=True)
    with (
        Store(project.paths.database, project.name) as store,
        store.rewrite(tables.values(), keys, span, record) as writer,
    ):
        for symbol, tape in tapes.items():
            row = _instrument_row(tape.instrument)
            writer.write(TABLES["instruments"], row, venue=tape.instrument.venue, symbol=symbol)
            for source, name in raw:
                for batch in tape.table(source, *span):
                    columns = {n: batch.column(n) for n in batch.schema.names}
                    writer.write(TABLES[name], columns, venue=tape.instrument.venue, symbol=symbol)
            each = run_symbol(project, tape, plans[symbol], writer, span[1], report)
            result.symbols.append(each)
            result.warnings += warnings_of(each, project)
        writer.finish()
        result.counts = dict(sorted(writer.counts.items()))
        result.notes += store.notes
    return result


def _instrument_row(instrument: Instrument) -> dict[str, Any]:
    given = asdict(instrument)
    since = given.pop("valid_from")
    row = {name: [value] for name, value in given.items() if name not in ("venue", "symbol")}
    return row | {"valid_from": np.array([parse_time(since) if since else NULL_INT])}


def without(block: dict[str, np.ndarray], kinds: frozenset[int]) -> dict[str, np.ndarray]:
    """Return the rows of a block that are of no kind left out."""
    if not kinds:
        return block
    keep = ~np.isin(block["kind"], list(kinds))
    return block if keep.all() else {name: column[keep] for name, column in block.items()}


def run_symbol(
    project: Project,
    tape: TapeFile,
    planned: SymbolPlan,
    writer: Any,
    end: int | None,
    report: Progress,
) -> SymbolResult:
    """Push one symbol's tape through its program and write what comes out."""
    symbol = planned.instrument.symbol
    program = Program(planned.plan, BLOCK_ROWS)
    collector = Collector(planned, program, writer)
    done = 0
    left_out = kinds_left_out(project.sources)
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
    return SymbolResult(
        symbol, tape, planned, bars, accounts, directions, agreements, collector.barriers
    )


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
