"""Triple-barrier labels over bars: which of three barriers the price meets first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from benchmarks.day import TICK, Day
from benchmarks.peers import run_peer
from benchmarks.timing import Contender, Job
from qf.label_spec import add_label, label_spec
from qf.program import Plan, Program

WIDTH, TRADES_PER_BAR, BLOCK_ROWS = 1e-5, 4, 1024  # where all three barriers are met
HORIZONS = {20: 15.0, 50: 30.0}  # bars: target
WORDS = (
    "bar_id", "feature_time", "known_row", "first_row", "close_row", "high_ticks", "low_ticks",
    "close_ticks", "quality",
)  # fmt: skip
READ = ("bar_id", "feature_time", "label", "label_end", "ret", "barrier", "quality")


def bars_of(day: Day) -> dict[str, np.ndarray]:
    """Return bars of a few trades each, so that there are enough of them to label."""
    trades = day.trades
    n = len(trades["ticks"]) // TRADES_PER_BAR
    ticks = trades["ticks"][: n * TRADES_PER_BAR].reshape(n, TRADES_PER_BAR)
    first = np.arange(n) * TRADES_PER_BAR
    return {
        "bar_id": np.arange(n),
        "feature_time": trades["time"][TRADES_PER_BAR - 1 :: TRADES_PER_BAR][:n].copy(),
        "known_row": first + TRADES_PER_BAR - 1,
        "first_row": first,
        "close_row": first + TRADES_PER_BAR - 1,
        "high_ticks": ticks.max(1),
        "low_ticks": ticks.min(1),
        "close_ticks": ticks[:, -1].copy(),
        "quality": np.zeros(n, np.int64),
        "close": ticks[:, -1] * TICK,
    }


def label_program(horizon: int) -> Program:
    """Return the product's label over bars that are fed to it."""
    plan = Plan()
    plan.clock("bar")
    bar = {name: plan.feed(name, "int") for name in WORDS}
    bar["close"] = plan.feed("close")
    given = {
        "upper_barrier": WIDTH,
        "lower_barrier": WIDTH,
        "vertical_barrier": horizon,
        "tie": "skip",
    }
    spec = label_spec("label", "triple_barrier", given, cost=0.0)
    made = add_label(plan, spec, bar, "bar/label")
    for name in READ:
        plan.read(name, made[name])
    return Program(plan, BLOCK_ROWS)


def polars_labels(frame: pl.DataFrame, horizon: int) -> pl.DataFrame:
    """Return the labels as expressions: one look at each bar ahead, the nearest touch wins."""
    upper, lower = pl.col.close * (1 + WIDTH), pl.col.close * (1 - WIDTH)
    label, end = pl.lit(0, pl.Int8), pl.lit(horizon, pl.Int32)
    for ahead in range(horizon, 0, -1):
        above = pl.col.high.shift(-ahead) >= upper
        below = pl.col.low.shift(-ahead) <= lower
        touched = pl.when(above & below).then(0).when(above).then(1).otherwise(-1)
        label = pl.when(above | below).then(touched.cast(pl.Int8)).otherwise(label)
        end = pl.when(above | below).then(pl.lit(ahead, pl.Int32)).otherwise(end)
    return frame.lazy().select(label=label, end=end).collect()


def jobs(day: Day, repeats: int) -> Iterator[Job]:
    """Yield a comparison per horizon; mlfinpy labels a part of the bars, in its own environment."""
    bars = bars_of(day)
    frame = pl.DataFrame(
        {"close": bars["close"], "high": bars["high_ticks"] * TICK, "low": bars["low_ticks"] * TICK}
    )
    given = {"close": bars["close"], "width": np.array([WIDTH])}
    given["horizons"] = np.array([*HORIZONS])
    theirs = [
        run_peer("mlfinpy_labels.py", given, repeats, "mlfinpy"),
        run_peer("finmlkit_all.py", given, repeats, "finmlkit"),
    ]
    for horizon, target in HORIZONS.items():
        made = label_program(horizon).push(bars)["bar/label"]
        shares = [np.mean(made["barrier"] == barrier) for barrier in (1, -1, 0)]
        met = ", ".join(f"{share:.0%}" for share in shares)
        yield Job(
            name=f"triple barrier, {horizon} bars",
            unit="label",
            elements=frame.height,
            makes=", ".join(READ),
            ours=Contender(
                "qf", lambda program: program.push(bars), lambda h=horizon: (label_program(h),)
            ),
            peers=(
                Contender(f"polars {pl.__version__}", lambda h=horizon: polars_labels(frame, h)),
            ),
            elsewhere={
                each["name"]: [taken * frame.height for taken in each[str(horizon)]]
                for each in theirs
            },
            target_ns=target,
            beside=("polars", {20: 64.0, 50: 201.0}[horizon]),
            note=f"upper, lower and vertical met by {met}; polars gives label and end alone; "
            "finmlkit and mlfinpy look at closes alone; ours runs as a program, copies in and out "
            "included",
        )
