"""From a Parquet tape to DuckDB: everything a state run writes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.day import LOT, TICK, Day
from benchmarks.jobs.bars import polars_bars
from benchmarks.jobs.fused import polars_asof, quotes_of
from benchmarks.project import INSTRUMENT, make_project, plan_of, write_tape
from benchmarks.timing import Contender, Job
from qf.engines.run import run_symbol
from qf.engines.symbol_plan import SymbolPlan
from qf.project.model import Project
from qf.store.duck import Store
from qf.store.record import RunRecord
from qf.tape.tape_file import TapeFile

GROUPS = ("enriched", "bars", "l2")


def run_ours(project: Project, tape: TapeFile, planned: SymbolPlan, folder: Path) -> dict[str, int]:
    """Push the tape through the program into a new DuckDB file; return rows by table."""
    record = RunRecord("bench", planned.plan.hash(), definitions_hash="", input_hashes={})
    keys = [(INSTRUMENT.venue, INSTRUMENT.symbol)]
    with (
        Store(folder / "ours.duckdb", project.name) as store,
        store.rewrite(planned.tables(), keys, (None, None), record) as writer,
    ):
        run_symbol(project, tape, planned, writer, None, lambda *told: None)
        writer.finish()
        return dict(writer.counts)


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


def fresh() -> tuple[Path]:
    """Return an empty folder for one run's database."""
    return (Path(tempfile.mkdtemp(prefix="qf-bench-")),)


def job(day: Day, folder: Path) -> Job:
    """Return the comparison with Polars and DuckDB, both from Parquet files."""
    project = make_project(folder / "project")
    planned = plan_of(project, GROUPS)
    tape = write_tape(day, folder / "tape")
    trades, quotes = folder / "trades.parquet", folder / "quotes.parquet"
    pl.DataFrame(day.trades).write_parquet(trades)
    quotes_of(day).write_parquet(quotes)
    counts = run_ours(project, tape, planned, *fresh())
    rows = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
    return Job(
        name="end to end: Parquet to DuckDB",
        unit="event",
        elements=day.events,
        makes=rows,
        ours=Contender("qf", lambda into: run_ours(project, tape, planned, into), fresh),
        peers=(
            Contender(
                f"polars {pl.__version__} + duckdb {duckdb.__version__}",
                lambda into: run_polars(trades, quotes, into),
                fresh,
            ),
        ),
        target_ns=250,
        note="the peers build no book, are handed their quotes, and write no snapshots "
        f"(ticks of {TICK}, lots of {LOT})",
    )
