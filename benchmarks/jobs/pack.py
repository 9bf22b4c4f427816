"""Fifteen features of trades and quotes: on a whole day, and one event at a time from Python."""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from benchmarks.day import Day
from benchmarks.peers import run_peer
from benchmarks.timing import Contender, Job
from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.lower.formula import program_of
from qf.program import Program

COLUMNS = (
    "price", "size", "buy_volume", "sell_volume", "bid_price_0", "bid_size_0", "ask_price_0",
    "ask_size_0", "bid_depth", "ask_depth",
)  # fmt: skip
LIVE_ROWS, WARM_ROWS = 20_000, 1_000
SYMBOLS, SYMBOL_EVENTS = 1_000, 50

_RETURN = "pct_change(price, 1)"
_VOLUME = "(size / rolling_mean(size, 100))"
_STRENGTH = f"(pct_change(price, 50) * {_VOLUME})"
_VOLATILITY = f"rolling_std({_RETURN}, 20)"
_FLOW = (
    "(where(bid_price_0 >= lag(bid_price_0, 1), bid_size_0, 0)"
    " - where(bid_price_0 <= lag(bid_price_0, 1), lag(bid_size_0, 1), 0)"
    " - where(ask_price_0 <= lag(ask_price_0, 1), ask_size_0, 0)"
    " + where(ask_price_0 >= lag(ask_price_0, 1), lag(ask_size_0, 1), 0))"
)
_DEPTH = "(bid_depth + ask_depth)"
_SPREAD = "(ask_price_0 - bid_price_0)"
_MOMENTUM = "pct_change(price, 10)"
FORMULAS = {
    "breakout_strength": f"rolling_zscore({_STRENGTH}, 100)",
    "breakout_volume_spike": f"rolling_zscore({_VOLUME}, 100)",
    "volatility_expansion": f"rolling_minmax({_VOLATILITY}, 100)",
    "volatility_rank": f"rolling_minmax(rolling_rank({_VOLATILITY}, 300), 100)",
    "order_flow_imbalance": f"rolling_zscore(ewm_mean({_FLOW}, 0.05), 50)",
    "cumulative_delta": "rolling_zscore(rolling_sum(buy_volume - sell_volume, 200), 100)",
    "liquidity_vacuum": f"rolling_minmax(pct_change({_DEPTH}, 50), 100)",
    "breakout_snr": f"abs(rolling_mean({_STRENGTH}, 50) / rolling_std({_STRENGTH}, 50))",
    "breakout_sharpe": f"rolling_mean({_STRENGTH}, 100) / rolling_std({_STRENGTH}, 100)",
    "volatility_regime": f"rolling_minmax(rolling_std({_RETURN}, 300), 100)",
    "liquidity_regime": f"rolling_minmax({_SPREAD} / rolling_mean({_SPREAD}, 100), 100)",
    "momentum_10t": f"rolling_zscore({_MOMENTUM}, 50)",
    "momentum_autocorr": f"rolling_corr({_MOMENTUM}, lag({_MOMENTUM}, 10), 100)",
    "spread_bps": f"20000 * {_SPREAD} / (ask_price_0 + bid_price_0)",
    "depth": _DEPTH,
}


def pack_columns(day: Day) -> dict[str, np.ndarray]:
    """Return the ten input columns: the day's trades with seeded quotes around them."""
    trades, random = day.trades, np.random.default_rng(5)
    n = len(trades["price"])
    half = 0.005 * random.integers(1, 10, n)
    bid_size, ask_size = random.lognormal(-1, 1, n), random.lognormal(-1, 1, n)
    return {
        "price": trades["price"],
        "size": trades["size"],
        "buy_volume": np.where(trades["side"] > 0, trades["size"], 0.0),
        "sell_volume": np.where(trades["side"] < 0, trades["size"], 0.0),
        "bid_price_0": trades["price"] - half,
        "bid_size_0": bid_size,
        "ask_price_0": trades["price"] + half,
        "ask_size_0": ask_size,
        "bid_depth": bid_size * 7 + random.random(n),
        "ask_depth": ask_size * 7 + random.random(n),
    }


def pack_program(block: int = 1024) -> Program:
    """Return the pack as one program of the machine."""
    table = ColumnTable.tick(1)
    graphs = {name: compile_formula(text, table=table) for name, text in FORMULAS.items()}
    return program_of(graphs, block)[0]


def polars_pack(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the pack as a Polars user writes it: three stages of expressions."""
    c = pl.col
    co, vo, bp, bq = c.price, c.size, c.bid_price_0, c.bid_size_0
    ap, aq = c.ask_price_0, c.ask_size_0

    def zscore(x: pl.Expr, window: int) -> pl.Expr:
        return (x - x.rolling_mean(window)) / x.rolling_std(window)

    def minmax(x: pl.Expr, window: int) -> pl.Expr:
        low = x.rolling_min(window)
        return (x - low) / (x.rolling_max(window) - low)

    flow = (
        pl.when(bp >= bp.shift()).then(bq).otherwise(0.0)
        - pl.when(bp <= bp.shift()).then(bq.shift()).otherwise(0.0)
        - pl.when(ap <= ap.shift()).then(aq).otherwise(0.0)
        + pl.when(ap >= ap.shift()).then(aq.shift()).otherwise(0.0)
    )
    return (
        frame.lazy()
        .with_columns(
            ret=co / co.shift(1) - 1,
            rv=vo / vo.rolling_mean(100),
            depth=c.bid_depth + c.ask_depth,
            spread=ap - bp,
            m10=co / co.shift(10) - 1,
            flow=flow,
        )
        .with_columns(
            pv=(co / co.shift(50) - 1) * c.rv,
            v20=c.ret.rolling_std(20),
            m10l=c.m10.shift(10),
            flow=c.flow.ewm_mean(alpha=0.05, adjust=False),
            cvd=(c.buy_volume - c.sell_volume).rolling_sum(200),
            change=c.depth / c.depth.shift(50) - 1,
            v300=c.ret.rolling_std(300),
            sr=c.spread / c.spread.rolling_mean(100),
        )
        .with_columns(rank=c.v20.rolling_rank(300) / 300)
        .select(
            breakout_strength=zscore(c.pv, 100),
            breakout_volume_spike=zscore(c.rv, 100),
            volatility_expansion=minmax(c.v20, 100),
            volatility_rank=minmax(c.rank, 100),
            order_flow_imbalance=zscore(c.flow, 50),
            cumulative_delta=zscore(c.cvd, 100),
            liquidity_vacuum=minmax(c.change, 100),
            breakout_snr=(c.pv.rolling_mean(50) / c.pv.rolling_std(50)).abs(),
            breakout_sharpe=c.pv.rolling_mean(100) / c.pv.rolling_std(100),
            volatility_regime=minmax(c.v300, 100),
            liquidity_regime=minmax(c.sr, 100),
            momentum_10t=zscore(c.m10, 50),
            momentum_autocorr=pl.rolling_corr("m10", "m10l", window_size=100),
            spread_bps=2e4 * c.spread / (ap + bp),
            depth=c.depth,
        )
        .collect()
    )


def batch_job(day: Day, repeats: int) -> Job:
    """Return the pack on the whole day, beside Polars and screamer."""
    columns = pack_columns(day)
    frame = pl.DataFrame(columns)
    peer = run_peer("screamer_pack.py", columns, repeats)
    return Job(
        name="15 features, batch",
        unit="row",
        elements=frame.height,
        makes=f"15 columns ({', '.join(FORMULAS)}) from {', '.join(COLUMNS)}",
        ours=Contender("qf", lambda program: program.push(columns), lambda: (pack_program(),)),
        peers=(Contender(f"polars {pl.__version__}", lambda: polars_pack(frame)),),
        elsewhere={"screamer 1.2.1 + numpy": peer["batch"]},
        bound_ns=400,
        target_ns=200,
        beside=("screamer", 226),
    )


def percentile_ns(program: Program, live: list[np.ndarray], percent: float) -> float:
    """Return the wall time that so many percent of the events take at most, each timed alone."""
    step, clock = program.step, time.perf_counter_ns
    taken = []
    for row in live:
        begun = clock()
        step(row)
        taken.append(clock() - begun)
    return float(np.percentile(taken, percent))


def live_job(day: Day, repeats: int) -> Job:
    """Return the pack one event at a time, called from Python, beside screamer."""
    columns = pack_columns(day)
    peer = run_peer("screamer_pack.py", columns, repeats)
    rows = np.ascontiguousarray(
        np.vstack([columns[name] for name in COLUMNS]).T[: WARM_ROWS + LIVE_ROWS]
    )

    def warm() -> tuple[Program, list[np.ndarray]]:
        program = pack_program(1)
        order = [COLUMNS.index(name) for name, _ in program.plan.feeds]
        live = np.ascontiguousarray(rows[:, order])
        for row in live[:WARM_ROWS]:
            program.step(row)
        return program, list(live[WARM_ROWS:])

    def events(program: Program, live: list[np.ndarray]) -> None:
        step = program.step
        for row in live:
            step(row)

    slowest = percentile_ns(*warm(), 99)
    return Job(
        name="15 features, live: one event per call from Python",
        unit="event",
        elements=LIVE_ROWS,
        makes="the same 15 values, handed back after every event",
        ours=Contender("qf", events, warm),
        elsewhere={"screamer 1.2.1": peer["live"]},
        bound_ns=3000,
        target_ns=1000,
        beside=("screamer", 7438),
        note=f"99 of 100 events take at most {slowest:,.0f} ns of wall time, reading the clock "
        "included; the design aims at 2,000",
    )


def many_job(day: Day, repeats: int) -> Job:
    """Return the pack of a thousand symbols in one process, their events in turn."""
    columns = pack_columns(day)
    first = pack_program(1)
    names = [name for name, _ in first.plan.feeds]
    rows = np.ascontiguousarray(np.vstack([columns[name] for name in names]).T[:SYMBOL_EVENTS])
    programs = [Program(first.plan, 1) for _ in range(SYMBOLS)]

    def events() -> None:
        for row in rows:
            for program in programs:
                program.step(row)

    return Job(
        name=f"15 features, {SYMBOLS:,} symbols in one process, one event after the other",
        unit="event",
        elements=SYMBOLS * len(rows),
        makes="the same 15 values per symbol, handed back after every event",
        ours=Contender("qf", events),
        note=f"{first.state_bytes:,} bytes of state per symbol; every event finds another symbol's "
        "state in the cache",
        most=3,
    )
