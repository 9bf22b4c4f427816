"""One pass over the tape: book, quote as-of, enrichment, four bar clocks, snapshots."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.day import LOT, TICK, Day
from benchmarks.jobs.bars import polars_bars
from benchmarks.peers import run_peer
from benchmarks.project import CLOCKS, make_project, plan_of
from benchmarks.timing import Contender, Job, once
from qf.program import Program

GROUPS = ("bars", "l2")


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


def job(day: Day, repeats: int, folder: Path) -> Job:
    """Return the comparison with a chain of peers: hftbacktest's book, Polars' join and bars."""
    project = make_project(folder / "project")
    plan = plan_of(project, GROUPS).plan
    trades = pl.DataFrame({name: day.trades[name] for name in ("time", "price", "size", "side")})
    quotes = quotes_of(day)
    chain = Contender("chain", lambda: polars_bars(polars_asof(trades, quotes)))
    book = run_peer("hftbacktest_book.py", day.updates, repeats)["seconds"]
    once(chain)
    seconds = [taken + once(chain) for taken in book]
    return Job(
        name="one pass: book, enrichment, four bar clocks, snapshots",
        unit="event",
        elements=day.events,
        makes=f"every column of {', '.join(CLOCKS)}; cdm_lob_l2 (20 levels, 500 ms); "
        "the enriched trades are made and stay in the machine",
        ours=Contender("qf", lambda program: program.advance(day.fields), lambda: (Program(plan),)),
        elsewhere={f"hftbacktest 2.4.4 + polars {pl.__version__}": seconds},
        bound_ns=60,
        target_ns=20,
        beside=("hftbacktest", 100),
        note="the peers' quotes are handed to them ready; their book makes the snapshots",
    )
