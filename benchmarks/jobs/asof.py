"""Every trade beside the newest of as many quotes: the kernel as the machine calls it, and Polars.

Five million of each, times shared out at random over a day.
"""

from __future__ import annotations

import ctypes

import numpy as np
import polars as pl

from benchmarks.day import Day
from benchmarks.timing import Contender, Job
from qf import kernel
from qf.op import find

ROWS, SPAN_NS = 5_000_000, 86_400_000_000_000


def columns_of(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the trades' times, the quotes' times and their values."""
    random = np.random.default_rng(seed)
    trades, quotes = (np.sort(random.integers(0, SPAN_NS, ROWS)) for _ in range(2))
    return trades, quotes, random.random(ROWS)


class Latest:
    """The as-of kernel over whole columns, one null row before them."""

    def __init__(self, trades: np.ndarray, quotes: np.ndarray, values: np.ndarray) -> None:
        op = find("latest", "aggregations")
        null = np.array([-(2**63)])
        times = np.concatenate([null, quotes])
        self.inputs = [
            np.r_[np.nan, values], np.zeros(ROWS + 1, np.int64), times, times, trades, trades,
        ]  # fmt: skip
        self.clocks = np.zeros(24, np.int64)
        self.clocks[:3] = 1, ROWS + 1, 0
        self.clocks[8:11] = 0, ROWS, 0
        self.where = np.zeros(64, np.int64)
        self.where[1] = 1
        self.entry = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 9)(kernel.address(op))
        self.outputs = [np.empty(ROWS), *(np.empty(ROWS, np.int64) for _ in range(3))]

    def __call__(self) -> np.ndarray:
        """Return the value column."""
        columns = [each.ctypes.data for each in (*self.inputs, *self.outputs)]
        pointers, none = np.array(columns), self.where.ctypes.data
        at = pointers.ctypes.data
        self.entry(self.clocks.ctypes.data, none, none, none, at, at, none, none, none)
        return self.outputs[0]


def job(day: Day, repeats: int) -> Job:
    """Return the comparison with Polars' join_asof."""
    trades, quotes, values = columns_of(7)
    latest = Latest(trades, quotes, values)
    left = pl.DataFrame({"time": trades}).set_sorted("time")
    right = pl.DataFrame({"time": quotes, "value": values}).set_sorted("time")
    theirs = left.join_asof(right, on="time")["value"]
    equal = np.array_equal(latest(), theirs.fill_null(np.nan).to_numpy(), equal_nan=True)
    return Job(
        name="quote as-of, 5M x 5M",
        unit="trade",
        elements=ROWS,
        makes="value, quality, feature_time, age_ns of the newest row",
        ours=Contender("qf", latest),
        peers=(Contender(f"polars {pl.__version__}", lambda: left.join_asof(right, on="time")),),
        target_ns=6,
        beside=("polars", 8.6),
        note=f"polars gives the value alone; the values are {'equal' if equal else 'NOT EQUAL'}",
        most=5,
    )
