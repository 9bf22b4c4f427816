"""Bar clocks over trades: every rule alone, then dollar 50,000, imbalance 10, tick 50, run 10.

Those that learn what they expect are set as mlfinpy's are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
import polars as pl

from benchmarks.day import Day
from benchmarks.peers import run_peer
from benchmarks.timing import Contender, Job
from qf.bar_clock import Units, add_bars, bar_clocks, bar_rules
from qf.program import Plan, Program

COUNT, VALUE = 50, 50_000
ENTRIES = {
    "dollar": {"type": "dollar", "threshold": VALUE},
    "imbalance": {"type": "imbalance", "k": 10},
    "tick": {"type": "tick", "count": COUNT},
    "run": {"type": "run", "window": 10},
}
LEARNT = {"ticks": 100, "window": 1000}
OTHERS = {
    "volume": {"type": "volume", "threshold": 5},
    "time": {"type": "time", "seconds": 1},
    "hybrid": {"type": "hybrid", "volume": 5, "max_seconds": 60},
    "adaptive": {"type": "adaptive", "share": 5e-5, "first": VALUE},
    "cusum": {"type": "cusum", "bps": 1},
    "volatility": {"type": "volatility", "bps": 1},
    "imbalance_afml": {"type": "imbalance_afml", **LEARNT},
    "run_afml": {"type": "run_afml", **LEARNT},
}
EVERY = ENTRIES | OTHERS
TARGETS = {"dollar": 5, "imbalance": 6, "tick": 5, "run": 6, "imbalance_afml": 8}
UNITS = Units(Fraction(1, 100), Fraction(1, 100_000), Fraction(1, 10_000_000))
WORDS = ("price_ticks", "size_lots", "value_units", "direction", "event_time", "processed_time")
READ = (
    "bar_id", "open_time", "close_time", "open", "high", "low", "close", "vwap", "volume", "value",
    "buy_volume", "trade_count",
)  # fmt: skip


def bars_program(rules: Iterable[str] = ENTRIES) -> Program:
    """Return a program of the product's bar rules and fold, fed with the tick clock."""
    plan = Plan()
    plan.clock("tick")
    tick = {name: plan.feed(name, "int") for name in (*WORDS, "seq", "quality")}
    tick |= {name: plan.feed(name) for name in ("mid", "spread")}
    for clock in bar_clocks([EVERY[rule] for rule in rules], UNITS):
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


def polars_closes() -> dict[str, pl.Expr]:
    """Return, by rule, the bar that a trade belongs to, as an expression.

    Bars that restart from zero have no expression form: dollar and imbalance bars are cut where
    the running sum crosses a multiple, which is less work than ours and not the same bars.
    """
    c = pl.col
    run = c.side.rle_id()
    return {
        "dollar": ((c.price * c.size).cum_sum() / VALUE).floor(),
        "imbalance": (c.size * c.side).cum_sum().floordiv(10).rle_id(),
        "tick": pl.int_range(pl.len()) // COUNT,
        "run": ((pl.int_range(pl.len()).over(run) % 10 == 9).shift(1, fill_value=False)).cum_sum(),
    }


def polars_bars(trades: pl.DataFrame, rules: Iterable[str] = ENTRIES) -> list[pl.DataFrame]:
    """Return the bar tables as Polars can make them."""
    c, made = pl.col, []
    for bar in (polars_closes()[rule] for rule in rules):
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


def jobs(day: Day, repeats: int) -> Iterator[Job]:
    """Yield a comparison per rule and one of all four on the day's trades."""
    columns = tick_columns(day)
    frame = pl.DataFrame({name: day.trades[name] for name in ("time", "price", "size", "side")})
    given = {name: day.trades[name] for name in ("time", "price", "size", "side")}
    given |= {"count": np.array([COUNT]), "value": np.array([float(VALUE)])}
    theirs = [
        run_peer(script, given, repeats, environment)
        for script, environment in (
            ("nautilus_all.py", "nautilus"),
            ("finmlkit_all.py", "finmlkit"),
            ("mlfinpy_bars.py", "mlfinpy"),
        )
    ]
    n = len(columns["seq"])
    assert EVERY.keys() == bar_rules().keys(), "every bar rule has its job"
    for rules in (*((rule,) for rule in EVERY), tuple(ENTRIES)):
        (alone,) = rules if len(rules) == 1 else ("",)
        ours = bars_program(rules).push(columns)
        counts = "/".join(f"{len(made['bar_id']):,}" for made in ours.values())
        expressible = ENTRIES.keys() >= set(rules)
        note = f"bars {counts}"
        if expressible:
            peer_counts = "/".join(f"{made.height:,}" for made in polars_bars(frame, rules))
            note += f"; polars {peer_counts} (sums that cross multiples, no restart)"
        elsewhere = {
            each["name"]: [taken * n for taken in each[alone]] for each in theirs if alone in each
        }
        yield Job(
            name=f"{alone} bars" if alone else "four bar clocks",
            unit="trade",
            elements=n,
            makes=(f"cdm_{alone}_bars: " if alone else "all four tables: ") + ", ".join(READ),
            ours=Contender(
                "qf", lambda program: program.push(columns), lambda r=rules: (bars_program(r),)
            ),
            peers=(Contender(f"polars {pl.__version__}", lambda r=rules: polars_bars(frame, r)),)
            if expressible
            else (),
            elsewhere=elsewhere,
            target_ns=TARGETS.get(alone) if alone else 20,
            note=note + "; ours runs as a program, copies in and out included",
        )
