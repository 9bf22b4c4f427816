"""Four bar clocks over trades: dollar 50,000, imbalance 10, tick 50, run 10."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl

from benchmarks.day import Day
from benchmarks.timing import Contender, Job
from qf.bar_clock import Units, add_bars, bar_clocks
from qf.program import Plan, Program

ENTRIES = (
    {"type": "dollar", "threshold": 50_000},
    {"type": "imbalance", "k": 10},
    {"type": "tick", "count": 50},
    {"type": "run", "window": 10},
)
UNITS = Units(Fraction(1, 100), Fraction(1, 100_000), Fraction(1, 10_000_000))
WORDS = ("price_ticks", "size_lots", "value_units", "direction", "event_time", "processed_time")
READ = (
    "bar_id", "open_time", "close_time", "open", "high", "low", "close", "vwap", "volume", "value",
    "buy_volume", "trade_count",
)  # fmt: skip


def bars_program() -> Program:
    """Return a program of the product's bar rules and fold, fed with the tick clock."""
    plan = Plan()
    plan.clock("tick")
    tick = {name: plan.feed(name, "int") for name in (*WORDS, "seq", "quality")}
    tick |= {name: plan.feed(name) for name in ("mid", "spread")}
    for clock in bar_clocks(ENTRIES, UNITS):
        bar = add_bars(plan, clock, tick)
        for name in READ:
            plan.read(name, bar[name])
    return Program(plan)


def tick_columns(day: Day) -> dict[str, np.ndarray]:
    """Return the trades as the columns of the tick clock."""
    trades = day.trades
    n = len(trades["time"])
    return {
        "price_ticks": trades["ticks"],
        "size_lots": trades["lots"],
        "value_units": trades["ticks"] * trades["lots"],
        "direction": trades["side"],
        "event_time": trades["time"],
        "processed_time": trades["time"],
        "seq": np.arange(n),
        "quality": np.zeros(n, np.int64),
        "mid": trades["price"],
        "spread": np.full(n, 0.01),
    }


def polars_bars(trades: pl.DataFrame) -> list[pl.DataFrame]:
    """Return four bar tables as Polars can make them.

    Bars that restart from zero have no expression form: dollar and imbalance bars are cut where
    the running sum crosses a multiple, which is less work than ours and not the same bars.
    """
    c = pl.col
    run = c.side.rle_id()
    closes = {
        "dollar": ((c.price * c.size).cum_sum() / 50_000).floor(),
        "imbalance": (c.size * c.side).cum_sum().floordiv(10).rle_id(),
        "tick": pl.int_range(pl.len()) // 50,
        "run": ((pl.int_range(pl.len()).over(run) % 10 == 9).shift(1, fill_value=False)).cum_sum(),
    }
    made = []
    for bar in closes.values():
        made.append(
            trades.lazy()
            .with_columns(bar=bar, value=c.price * c.size, bought=c.size * (c.side > 0))
            .group_by("bar", maintain_order=True)
            .agg(
                open_time=c.time.first(),
                close_time=c.time.last(),
                open=c.price.first(),
                high=c.price.max(),
                low=c.price.min(),
                close=c.price.last(),
                vwap=c.value.sum() / c.size.sum(),
                volume=c.size.sum(),
                value=c.value.sum(),
                buy_volume=c.bought.sum(),
                trade_count=pl.len(),
            )
            .collect()
        )
    return made


def job(day: Day, repeats: int) -> Job:
    """Return the comparison with Polars on the day's trades."""
    columns = tick_columns(day)
    frame = pl.DataFrame({name: day.trades[name] for name in ("time", "price", "size", "side")})
    ours = bars_program().push(columns)
    theirs = polars_bars(frame)
    counts = "/".join(f"{len(made['bar_id']):,}" for made in ours.values())
    peer_counts = "/".join(f"{made.height:,}" for made in theirs)
    return Job(
        name="four bar clocks",
        unit="trade",
        elements=len(columns["seq"]),
        makes="cdm_{dollar,imbalance,tick,run}_bars: " + ", ".join(READ),
        ours=Contender("qf", lambda program: program.push(columns), lambda: (bars_program(),)),
        peers=(Contender(f"polars {pl.__version__}", lambda: polars_bars(frame)),),
        target_ns=20,
        note=f"bars {counts}; polars {peer_counts} (sums crossing multiples, no restart)",
    )
