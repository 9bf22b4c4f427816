"""Rolling functions of a column: a kernel as the machine calls it, beside Polars and C libraries.

`through the machine` is the same function as a user runs it, `qf.formula(...)` over an array: the
block loop, the copies in and out.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import polars as pl

from benchmarks.day import Day
from benchmarks.peers import run_peer
from benchmarks.timing import Contender, Job
from qf import kernel
from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.lower.formula import program_of
from qf.op import Op, find

WINDOW, LAG = 100, 1
RANKS = {20: 12, 100: 30, 1000: 300}  # window: target; screamer is to be beaten too
# Of the others: at least four times as fast as Polars, within 1.5 times what C libraries take.
WANTED = {"polars": 4.0} | dict.fromkeys(("screamer", "bottleneck", "TA-Lib"), 1 / 1.5)
MARGIN = 40  # words after a column, as the machine leaves them
Columns = dict[str, np.ndarray]


class Whole:
    """An op's compiled kernel over whole columns: history of nulls before them, state afresh.

    It writes where its last results were, as in the machine, which keeps its columns.
    """

    def __init__(self, name: str, columns: list[np.ndarray], **parameters: float) -> None:
        op: Op = find(name, "ops")
        bound = op.bind(**parameters)
        self.tail, self.rows = op.amount("lookback", bound), len(columns[0])
        self.columns = [np.r_[np.full(self.tail, np.nan), c, np.zeros(MARGIN)] for c in columns]
        self.out = np.zeros(self.tail + self.rows + MARGIN)
        self.slots, self.ints = op.amount("slots", bound), op.amount("ints", bound)
        self.parameters = np.array([*op.signature.encode(bound), 0.0])
        self.clock = np.array([self.tail, self.tail + self.rows, 0, 0, self.tail, 0, 0, 0])
        self.where = np.zeros(64, np.int64)
        words = [ctypes.c_void_p] * 9
        self.entry = ctypes.CFUNCTYPE(ctypes.c_int64, *words)(kernel.address(op))

    def __call__(self) -> np.ndarray:
        """Return the column of results, until the next call."""
        pointers = np.array([column.ctypes.data for column in (*self.columns, self.out)])
        state, ints = np.zeros(self.slots + 1), np.zeros(self.ints + 1, np.int64)
        clock, where = self.clock.ctypes.data, self.where.ctypes.data
        given = (self.parameters, state, ints)
        self.entry(
            clock, where, where, where, pointers.ctypes.data, pointers.ctypes.data,
            *(array.ctypes.data for array in given),
        )  # fmt: skip
        return self.out[self.tail : self.tail + self.rows]


def polars_of(x: pl.Series, y: pl.Series) -> dict[str, Callable[[], object]]:
    """Return, by job, what a Polars user writes."""
    frame = pl.DataFrame({"x": x, "y": y})
    mean, std = partial(x.rolling_mean, WINDOW), partial(x.rolling_std, WINDOW)
    lagged = pl.col("x").shift(LAG)
    return {
        "mean": mean,
        "std": std,
        "zscore": lambda: (x - mean()) / std(),
        "min": partial(x.rolling_min, WINDOW),
        "corr": lambda: frame.select(pl.rolling_corr("x", "y", window_size=WINDOW)),
        "autocorr": lambda: frame.select(
            pl.rolling_corr(pl.col("x"), lagged, window_size=WINDOW)
        ),
    } | {f"rank {w}": partial(x.rolling_rank, w) for w in RANKS}  # fmt: skip


def formula_run(text: str, columns: Columns) -> Contender:
    """Return the function as a program of the machine, on the same column."""
    table = ColumnTable.tick(1)

    def ready() -> tuple:
        program = program_of({"out": compile_formula(text, table=table)}, 1024)[0]
        return program, {name: columns[name] for name, _ in program.plan.feeds}

    return Contender("qf, through the machine", lambda program, given: program.push(given), ready)


def jobs(day: Day, repeats: int) -> Iterator[Job]:
    """Yield a comparison per function; the peers' own environment runs all of theirs at once."""
    trades = day.trades
    columns = {"price": trades["price"], "size": trades["size"]}
    x, y = columns["price"], columns["size"]
    arguments = {"x": x, "y": y, "window": np.array([WINDOW, LAG]), "ranks": np.array([*RANKS])}
    elsewhere = run_peer("rolling_peers.py", arguments, repeats)
    inside = polars_of(pl.Series(x), pl.Series(y))
    plan = [
        ("mean", "rolling_mean", "price, 100", [x], {}),
        ("std", "rolling_std", "price, 100", [x], {}),
        ("zscore", "rolling_zscore", "price, 100", [x], {}),
        ("min", "rolling_min", "price, 100", [x], {}),
        ("corr", "rolling_corr", "price, size, 100", [x, y], {}),
        ("autocorr", "rolling_autocorr", "price, 100, 1", [x], {"lag": LAG}),
    ]
    rows = [(word, None, *entry, WINDOW) for word, *entry in plan]
    rows += [
        (f"rank {w}", at, "rolling_rank", f"price, {w}", [x], {}, w) for w, at in RANKS.items()
    ]
    for word, target, name, shown, given, more, window in rows:
        whole = Whole(name, given, window=window, **more)
        yield Job(
            name=f"{name}({shown})",
            unit="row",
            elements=len(x),
            makes=f"one column of {len(x):,} rows",
            ours=Contender("qf", whole),
            peers=(
                formula_run(f"{name}({shown})", columns),
                Contender(f"polars {pl.__version__}", inside[word]),
            ),
            elsewhere=elsewhere[word],
            target_ns=target,
            target_ratios={"screamer": 1.0} if target else WANTED,
        )
