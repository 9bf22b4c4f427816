"""From a Parquet tape to DuckDB: everything that a state run writes, and what each stage costs."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from benchmarks.day import LOT, TICK, Day
from benchmarks.jobs.bars import polars_bars
from benchmarks.jobs.fused import polars_asof, quotes_of
from benchmarks.project import (
    GROUPS,
    INSTRUMENT,
    make_project,
    plan_of,
    reference_plan,
    write_tape,
)
from benchmarks.timing import Contender, Job
from qf.engines.collect import Collector
from qf.engines.ledger import Ledger
from qf.engines.symbol_change import SymbolChange
from qf.engines.symbol_plan import SymbolPlan
from qf.engines.symbol_run import BLOCK_ROWS
from qf.engines.symbol_work import Intent
from qf.program import Program
from qf.project.model import Project
from qf.store.change import Change
from qf.store.duck import Store
from qf.store.record import RunRecord
from qf.store.writer import Writer
from qf.tape.prefix import blocks_between
from qf.tape.tape_file import TapeFile

WHERE = {"venue": INSTRUMENT.venue, "symbol": INSTRUMENT.symbol}


class Stages:
    """Count the CPU seconds of each stage, those of a stage inside it taken off."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inside = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done meanwhile."""
        begun, before, self._inside = time.process_time(), self._inside, 0.0
        yield
        spent = time.process_time() - begun
        self.seconds[name] += spent - self._inside
        self._inside = before + spent

    def of(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is counted whenever it is called."""

        def counted(*given: Any, **named: Any) -> Any:
            with self.stage(name):
                return call(*given, **named)

        return counted


def push(
    project: Project, tape: TapeFile, planned: SymbolPlan, writer: Writer, stages: Stages
) -> None:
    """Push a tape through a program into a writer, as a run does."""
    program = Program(planned.plan, BLOCK_ROWS)
    collector = Collector(planned, program, writer)
    blocks = blocks_between(tape, 0, tape.rows, project.micro_batch_size)
    advance, read = stages.of("machine", program.advance), stages.of("read Parquet", next)
    take = stages.of("rows to Arrow", collector.take)
    while (block := read(blocks, None)) is not None:
        take(advance(block))
    stages.of("rows to Arrow", collector.flush)()
    writer.finish()


def run_tables(
    project: Project, tape: TapeFile, planned: SymbolPlan, folder: Path, stages: Stages
) -> dict[str, int]:
    """Write the tables of a plan into a new DuckDB file; return rows by table."""
    record = RunRecord("bench", definitions_hash="", versions={}, created=0)
    with stages.stage("commit and close"), Store(folder / "ours.duckdb", project.name) as store:
        keys = [(INSTRUMENT.venue, INSTRUMENT.symbol)]
        tables = planned.tables()
        with store.rewrite(tables, keys, (None, None), record) as writer:
            writer.put = stages.of("DuckDB", writer.put)  # type: ignore[method-assign]
            push(project, tape, planned, writer, stages)
            return dict(writer.counts)


def run_recorded(
    project: Project, tape: TapeFile, planned: SymbolPlan, folder: Path, stages: Stages
) -> dict[str, int]:
    """Do the same with what `qf run` adds: a hash of every row, Parquet files beside it."""
    record = RunRecord("bench", definitions_hash="", versions={}, created=0)
    with (
        stages.stage("commit and close"),
        Store(folder / "ours.duckdb", project.name) as store,
        store.change(record, folder / "parquet") as change,
    ):
        tables = {table.name: table for table in planned.tables()}
        change.make(tables.values())
        count_hashes(change, stages)
        SymbolChange(change, tables, Ledger()).begin(Intent(**WHERE, tables=[*tables]))
        push(project, tape, planned, change.writer, stages)
        return dict(change.writer.counts)


def count_hashes(change: Change, stages: Stages) -> None:
    """Let the stages tell hashes, Parquet and DuckDB apart."""
    writer = change.writer
    for name, shown in (("count", "hash rows"), ("put", "Parquet files"), ("insert", "DuckDB")):
        setattr(writer, name, stages.of(shown, getattr(writer, name)))


def run_polars(trades: Path, quotes: Path, folder: Path) -> None:
    """Read, join, make bars and write the enriched trades and the four bar tables."""
    enriched = polars_asof(pl.read_parquet(trades), pl.read_parquet(quotes))
    made = {"enriched": enriched.to_arrow()}
    for place, bars in enumerate(polars_bars(enriched)):
        made[f"bars_{place}"] = bars.to_arrow()
    with duckdb.connect(folder / "peer.duckdb", config={"threads": 1}) as store:
        for name, table in made.items():
            store.register("made", table)
            store.execute(f"create table {name} as select * from made")


def jobs(day: Day, repeats: int, folder: Path) -> Iterator[Job]:
    """Yield the comparisons with Polars and DuckDB, all from Parquet files."""
    project = make_project(folder / "project")
    tape = write_tape(day, folder / "tape")
    trades, quotes = folder / "trades.parquet", folder / "quotes.parquet"
    pl.DataFrame(day.trades).write_parquet(trades)
    quotes_of(day).write_parquet(quotes)
    scratch = Path(tempfile.mkdtemp(prefix="run-", dir=folder))

    def fresh() -> tuple[Path]:
        shutil.rmtree(scratch, ignore_errors=True)  # a database of every repeat would fill the disk
        scratch.mkdir()
        return (scratch,)

    for word, planned, run in (
        ("the reference's columns", reference_plan(project), run_tables),
        ("all columns", plan_of(project, GROUPS), run_tables),
        ("all columns, recorded as `qf run` does", plan_of(project, GROUPS), run_recorded),
    ):

        def ours(into: Path, run: Any = run, planned: SymbolPlan = planned) -> None:
            run(project, tape, planned, into, Stages())

        run(project, tape, planned, *fresh(), Stages())
        stages = Stages()
        counts = run(project, tape, planned, *fresh(), stages)
        told = ", ".join(
            f"{name} {1e9 * spent / day.events:,.0f}"
            for name, spent in stages.seconds.most_common()
        )
        rows = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
        yield Job(
            name=f"end to end, {day.events:,} events, Parquet to DuckDB: {word}",
            unit="event",
            elements=day.events,
            makes=rows,
            ours=Contender("qf", ours, fresh),
            peers=(
                Contender(
                    f"polars {pl.__version__} + duckdb {duckdb.__version__}",
                    lambda into: run_polars(trades, quotes, into),
                    fresh,
                ),
            ),
            target_ns=250,
            note=f"ns per event by stage: {told}; the peers build no book, are handed their quotes,"
            f" and write no snapshots (ticks of {TICK}, lots of {LOT})",
            most=3,
        )
    shutil.rmtree(scratch, ignore_errors=True)
