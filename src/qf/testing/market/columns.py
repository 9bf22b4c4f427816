"""Small tables in the columns of the tick clock, one generator per kind of difficulty.

They feed the contract suite: every op must hold its laws on all of them. Nothing here is a
simulation of a market (that is `Market`); each kind exaggerates one thing that breaks arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from qf.errors import diagnostic, nearest
from qf.schema import BIT, NULL_INT

UNKNOWN_KIND = diagnostic("QF801", "unknown kind of market {name!r}")

LEVELS = 5
TICK, LOT = 0.01, 0.00001
START_NS = 1_723_161_600_000_000_000

Columns = dict[str, NDArray[Any]]  # float64 or int64, all of one length
Ints = NDArray[np.int64]


def columns(kind: str, seed: int, rows: int) -> Columns:
    """Return the tick clock's columns (int64 and float64) plus free floats `x`, `y`, `z`.

    `kind` is one of `KINDS`. Missing is NaN in floats and NULL_INT in ints. The same arguments
    give the same bits; a longer table does not begin like a shorter one. Errors: QF801.
    """
    if kind not in KINDS:
        raise UNKNOWN_KIND(name=kind, near=nearest(kind, KINDS))
    draw = np.random.default_rng([seed, list(KINDS).index(kind)])
    return KINDS[kind](draw, rows)


def _calm(draw: Generator, rows: int) -> Columns:
    """Return a quiet market at a high price: sums of squares cancel badly here."""
    ticks = 6_500_000_000 + np.cumsum(draw.integers(-2, 3, rows))
    return _assemble(draw, ticks, draw.integers(1, 400_000, rows))


def _jumps(draw: Generator, rows: int) -> Columns:
    """Return rare moves over several orders of magnitude, in price and in size."""
    step = draw.integers(-3, 4, rows)
    big = draw.random(rows) < 0.03
    step = np.where(big, draw.integers(-200_000, 200_001, rows), step)
    ticks = np.maximum(6_000_000 + np.cumsum(step), 1_000)
    lots = np.where(draw.random(rows) < 0.03, 10 ** draw.integers(5, 9, rows), 1 + big * 7)
    return _assemble(draw, ticks, lots)


def _nulls(draw: Generator, rows: int) -> Columns:
    """Return missing values alone, in runs, and in the very first rows."""
    table = _calm(draw, rows)
    hidden = draw.random(rows) < 0.05
    for start in draw.integers(0, max(rows, 1), 1 + rows // 60):
        hidden[start : start + int(draw.integers(1, 12))] = True
    hidden[: min(2, rows)] = True
    for name, values in table.items():
        if values.dtype == np.float64 and name not in ("price", "size", "value"):
            values[hidden] = np.nan
    for name in ("x", "y", "z"):
        table[name][draw.random(rows) < 0.08] = np.nan
    table["direction"][hidden & (draw.random(rows) < 0.3)] = NULL_INT
    table["quality"][hidden] |= BIT["gap"]
    return table


def _ties(draw: Generator, rows: int) -> Columns:
    """Return long stretches of equal values: zero variance, equal ranks, 0/0."""
    holds = np.repeat(draw.integers(-1, 2, rows // 7 + 1), 7)[:rows]
    table = _assemble(draw, 5_000_000 + holds, np.full(rows, 1_000, dtype=np.int64))
    table["x"] = (np.repeat(draw.integers(0, 3, rows // 30 + 1), 30)[:rows]).astype(np.float64)
    table["y"] = draw.integers(0, 2, rows).astype(np.float64)
    table["z"] = np.zeros(rows)
    return table


def _one_sided(draw: Generator, rows: int) -> Columns:
    """Return buys only: one side of every imbalance is exactly zero."""
    ticks = 6_000_000 + np.cumsum(draw.integers(0, 3, rows))
    return _assemble(draw, ticks, draw.integers(1, 90_000, rows), direction=np.ones(rows, np.int64))


def _empty_side(draw: Generator, rows: int) -> Columns:
    """Return a book whose ask side is empty for a while: its prices are missing, its depth 0."""
    table = _calm(draw, rows)
    gone = (np.arange(rows) // 17) % 3 == 1
    for level in range(LEVELS):
        table[f"ask_price_{level}"][gone] = np.nan
        table[f"ask_size_{level}"][gone] = 0.0
    for name in ("mid", "spread", "spread_bps", "spread_ticks", "weighted_mid"):
        table[name][gone] = np.nan
    table["ask_depth"][gone] = 0.0
    return table


def _duplicates(draw: Generator, rows: int) -> Columns:
    """Return rows that repeat the row before, ids and times included."""
    table = _calm(draw, rows)
    again = draw.random(rows) < 0.25
    if rows:
        again[0] = False
    source = np.maximum.accumulate(np.where(again, 0, np.arange(rows)))
    seq = table["seq"].copy()
    for name in table:
        table[name] = table[name][source]
    table["seq"] = seq
    table["quality"] = np.where(again, table["quality"] | BIT["duplicate"], table["quality"])
    return table


def _out_of_order(draw: Generator, rows: int) -> Columns:
    """Return event times that run backwards now and then, and most of them tied."""
    table = _calm(draw, rows)
    late = draw.random(rows) < 0.1
    back = draw.integers(1_000_000, 3_000_000_000, rows)
    table["event_time"] = np.where(late, table["event_time"] - back, table["event_time"])
    table["quality"] = np.where(late, table["quality"] | BIT["out_of_order"], table["quality"])
    return table


KINDS: dict[str, Callable[[Generator, int], Columns]] = {
    "calm": _calm,
    "jumps": _jumps,
    "nulls": _nulls,
    "ties": _ties,
    "one_sided": _one_sided,
    "empty_side": _empty_side,
    "duplicates": _duplicates,
    "out_of_order": _out_of_order,
}


def _assemble(draw: Generator, ticks: Ints, lots: Ints, direction: Ints | None = None) -> Columns:
    """Return every tick-clock column for these prices and sizes."""
    rows = len(ticks)
    lots = lots.astype(np.int64)
    if direction is None:
        direction = draw.choice([-1, 0, 1], rows, p=[0.48, 0.04, 0.48]).astype(np.int64)
    # two thirds of real trades share their millisecond with the one before
    gap_ms = np.where(draw.random(rows) < 0.66, 0, draw.integers(1, 400, rows))
    event = START_NS + np.cumsum(gap_ms) * 1_000_000
    table: Columns = {
        "seq": np.arange(rows, dtype=np.int64) * 3 + 11,
        "event_time": event.astype(np.int64),
        "processed_time": np.maximum.accumulate(event + draw.integers(1, 9_000_000, rows)),
        "trade_id": np.arange(rows, dtype=np.int64) + 3_735_683_259,
        "price_ticks": ticks.astype(np.int64),
        "size_lots": lots,
        "value_units": ticks.astype(np.int64) * lots,
        "direction": direction,
        "quality": np.zeros(rows, dtype=np.int64),
        "price": ticks * TICK,
        "size": lots * LOT,
        "value": (ticks * TICK) * (lots * LOT),
        "buy_volume": np.where(direction > 0, lots * LOT, 0.0),
        "sell_volume": np.where(direction < 0, lots * LOT, 0.0),
    }
    table.update(_book(draw, ticks))
    for name in ("x", "y", "z"):
        table[name] = np.cumsum(draw.normal(size=rows)) + 1e4 * (name == "z")
    return table


def _book(draw: Generator, ticks: Ints) -> Columns:
    """Return the book columns around these trade prices: levels, mid, spread, depth, OFI."""
    rows = len(ticks)
    width = np.where(draw.random(rows) < 0.8, 1, draw.integers(1, 60, rows))
    best_bid = ticks - draw.integers(0, 2, rows) * width
    table: Columns = {"bid_depth": np.zeros(rows), "ask_depth": np.zeros(rows)}
    bid, ask = best_bid, best_bid + width
    for level in range(LEVELS):
        table[f"bid_price_{level}"] = bid * TICK
        table[f"ask_price_{level}"] = ask * TICK
        for side in ("bid", "ask"):
            table[f"{side}_size_{level}"] = draw.integers(1, 300_000, rows) * LOT
            table[f"{side}_depth"] = table[f"{side}_depth"] + table[f"{side}_size_{level}"]
        table[f"ofi_{level}"] = draw.integers(-50_000, 50_001, rows) * LOT
        bid, ask = bid - draw.integers(1, 40, rows), ask + draw.integers(1, 40, rows)
    high, low = table["ask_price_0"], table["bid_price_0"]
    table["mid"] = (high + low) / 2
    table["spread"] = high - low
    table["spread_bps"] = 1e4 * table["spread"] / table["mid"]
    table["spread_ticks"] = width.astype(np.float64)
    bid_size, ask_size = table["bid_size_0"], table["ask_size_0"]
    table["weighted_mid"] = (low * ask_size + high * bid_size) / (bid_size + ask_size)
    table["book_age_ms"] = draw.integers(0, 2_000, rows) * 0.001 + draw.integers(0, 300, rows)
    return table
