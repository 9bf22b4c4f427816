"""Quality bits in Polars: the same rules as qf/quality, said once more in native expressions.

An OR over past rows has no expression of its own, so each bit goes by itself: where it was last
seen, carried forward, and whether that is near enough.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from qf.schema import BIT, NULL_ON

_ROW = pl.int_range(pl.len(), dtype=pl.Int64)


def keep(quality: pl.Expr, bits: int) -> pl.Expr:
    """Return only the bits that concern the reader."""
    return quality & pl.lit(bits, pl.Int64)


def either(columns: Iterable[pl.Expr]) -> pl.Expr:
    """Return the bits of all columns; missing counts as no bit."""
    total, *others = [column.fill_null(0) for column in columns]
    for column in others:
        total = total | column
    return total


def carry(
    frame: pl.DataFrame, name: str, steps: Iterable[tuple[str, int]], time: str
) -> pl.DataFrame:
    """Return the frame with `name` OR-ed over its memory: one step after the other, last first.

    A step is ("rows", n) or ("ns", n); without end (n = 0) nothing is carried.
    """
    for kind, extent in reversed(tuple(steps)):
        if extent == 0 or (kind == "rows" and extent == 1):
            continue
        scale = pl.col(time) if kind == "ns" else _ROW
        column = pl.col(name).fill_null(0)
        carried = [_alive(column, bit, scale, extent) for bit in _bits_in(frame[name])]
        frame = frame.with_columns(either(carried or [column * 0]).alias(name))
    return frame


def warm(quality: pl.Expr, rows: int) -> pl.Expr:
    """Return the bits with `warmup` on the first rows of the history."""
    return quality.fill_null(0) | _flag(rows > _ROW, "warmup")


def window_full(quality: pl.Expr, full: pl.Expr) -> pl.Expr:
    """Return the bits with `window_full` where a time window lost rows to its ring."""
    return quality | _flag((full == 1).fill_null(False), "window_full")


def early(quality: pl.Expr, time: pl.Expr, span_ns: int) -> pl.Expr:
    """Return the bits with `warmup` on the rows within `span_ns` of the history's first."""
    return quality.fill_null(0) | _flag(time < time.first() + span_ns, "warmup")


def stale(quality: pl.Expr, age_ns: pl.Expr, ttl_ms: float) -> pl.Expr:
    """Return the bits with `stale` where the age is beyond its time to live."""
    return quality | _flag((age_ns > ttl_ms * 1e6).fill_null(False), "stale")


def trusted(value: pl.Expr, quality: pl.Expr) -> pl.Expr:
    """Return the value, null where a nulling bit stands."""
    return pl.when(keep(quality, NULL_ON) == 0).then(value)


def seal(
    value: pl.Expr, quality: pl.Expr, bar_id: pl.Expr, warmup_bars: int
) -> tuple[pl.Expr, pl.Expr]:
    """Return value and bits as published: no null without a reason."""
    bits = quality | _flag(bar_id < warmup_bars, "warmup")
    shown = trusted(value, bits)
    unexplained = value.is_null() & (keep(bits, NULL_ON) == 0)
    return shown, bits | _flag(unexplained, "undefined")


def _flag(condition: pl.Expr, name: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(BIT[name], pl.Int64)).otherwise(pl.lit(0, pl.Int64))


def _alive(quality: pl.Expr, bit: int, scale: pl.Expr, extent: int) -> pl.Expr:
    seen = pl.when((quality & bit) != 0).then(scale).forward_fill()
    near = (scale - seen < extent).fill_null(False)
    return pl.when(near).then(pl.lit(bit, pl.Int64)).otherwise(pl.lit(0, pl.Int64))


def _bits_in(column: pl.Series) -> list[int]:
    """Return the bits that occur at all: carrying the others would be work for nothing."""
    found = int(np.bitwise_or.reduce(column.drop_nulls().to_numpy(), initial=0))
    return [bit for bit in BIT.values() if found & bit]
