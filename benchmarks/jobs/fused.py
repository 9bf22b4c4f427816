"""One pass over the tape: book, quote as-of, enrichment, four bar clocks, snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.day import LOT, TICK, Day
from benchmarks.jobs.bars import polars_bars
from benchmarks.peers import run_peer
from benchmarks.project import CLOCKS, GROUPS, make_project, plan_of, reference_plan
from benchmarks.timing import Contender, Job, once
from qf.engines.symbol_run import BLOCK_ROWS
from qf.program import Program
from qf.tape.tape_file import READ_ROWS


def polars_asof(trades: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Set every trade beside the last quote strictly before it."""
    mid, spread = (pl.col.bid + pl.col.ask) / 2, pl.col.ask - pl.col.bid
    joined = trades.join_asof(quotes, on="time", strategy="backward", allow_exact_matches=False)
    return joined.with_columns(mid=mid, spread=spread)


def quotes_of(day: Day) -> pl.DataFrame:
    """Return a best bid and ask per update, the extremes so far: the peer is handed its quotes."""
    updates = day.updates
    frame = pl.DataFrame({"time": updates["time"], "side": updates["side"]})
    price = pl.Series(updates["ticks"] * TICK)
    size = pl.Series(updates["lots"] * LOT)
    half = pl.when(pl.col.side > 0)
    return frame.with_columns(price=price, size=size).select(
        "time",
        bid=half.then(pl.col.price).forward_fill(),
        ask=pl.when(pl.col.side < 0).then(pl.col.price).forward_fill(),
    )


def jobs(day: Day, repeats: int, folder: Path) -> Iterator[Job]:
    """Yield the comparisons with a chain of peers: hftbacktest's book, Polars' join and bars."""
    project = make_project(folder / "project")
    trades = pl.DataFrame({name: day.trades[name] for name in ("time", "price", "size", "side")})
    quotes = quotes_of(day)
    chain = Contender("chain", lambda: polars_bars(polars_asof(trades, quotes)))
    period = {"period": np.array([500_000_000])}
    book = run_peer("hftbacktest_book.py", day.updates | period, repeats)["seconds"]
    once(chain)
    seconds = [taken + once(chain) for taken in book]
    blocks = [
        {name: column[start : start + READ_ROWS] for name, column in day.fields.items()}
        for start in range(0, day.events, READ_ROWS)
    ]
    shown = {
        "the reference's columns": (reference_plan(project), 20, "the reference's columns"),
        "everything": (plan_of(project, GROUPS), 50, "every column"),
    }
    for word, (planned, target, columns) in shown.items():
        yield Job(
            name=f"one pass: book, enrichment, four bar clocks, snapshots; {word}",
            unit="event",
            elements=day.events,
            makes=f"{columns} of cdm_trade_enriched and {', '.join(CLOCKS)}; cdm_lob_l2 (20 "
            "levels, 500 ms); id checks, quote visibility, quality either way",
            ours=Contender(
                "qf",
                lambda program: [program.advance(block) and None for block in blocks],
                lambda plan=planned.plan: (Program(plan, BLOCK_ROWS),),
            ),
            elsewhere={f"hftbacktest 2.4.4 + polars {pl.__version__}": seconds},
            bound_ns=60,
            target_ns=target,
            beside=("hftbacktest", 100),
            note="the peers' quotes are handed to them ready; their book makes the snapshots",
        )
