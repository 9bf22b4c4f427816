"""The meaning of a time window (t - window, t] in tape order, and its Polars expressions.

A later row is never inside, even at an equal time (most trades repeat the time of the one before,
and Polars' own windows by time would take later ties in): windows are made of row numbers.
"""

from __future__ import annotations

from typing import Any

UNIT = 2.0**60  # sums are exact in 2^-60ths: values from 1e-6 to 1e18 keep 12 digits


def inside(time: list[int], window: int, max_rows: int) -> tuple[int, int]:
    """Return how many rows, the last one included, are inside, and whether that is not all."""
    rows = sum(map((time[-1] - window).__lt__, time))
    return min(rows, max_rows), int(rows > max_rows)


def first_row(time: Any, window: int, max_rows: int) -> Any:
    """Return, per row, the number of the oldest row inside."""
    import polars as pl

    row = pl.int_range(pl.len())
    oldest = time.search_sorted(time - window, side="right").cast(pl.Int64)
    return pl.max_horizontal(oldest, row - (max_rows - 1))


def window_full(time: Any, window: int, max_rows: int) -> Any:
    """Return 1 where the window holds more than `max_rows` rows, else 0."""
    import polars as pl

    rows = pl.int_range(pl.len()) - time.search_sorted(time - window, side="right").cast(pl.Int64)
    return (rows + 1 > max_rows).cast(pl.Int64)


def whole_window(result: Any, x: Any, first: Any) -> Any:
    """Return `result` where no row inside is null, else null."""
    import polars as pl

    nulls = x.is_null().cast(pl.Int64)
    before = nulls.cum_sum() - nulls
    return pl.when(nulls.cum_sum() == before.gather(first)).then(result)


def sum_between(x: Any, first: Any) -> Any:
    """Return the sum of rows `first` to the row itself, added as integers: nothing is lost.

    Null where a row inside is too large to be one (1.4e20 and beyond).
    """
    import polars as pl

    units = (x * UNIT).cast(pl.Int128, strict=False)
    large = (units.is_null() & x.is_not_null()).cast(pl.Int64)
    large_before, units = large.cum_sum() - large, units.fill_null(0)
    before = units.cum_sum() - units
    found = (units.cum_sum() - before.gather(first)).cast(pl.Float64) / UNIT
    return pl.when(large.cum_sum() == large_before.gather(first)).then(found)


def extreme_between(x: Any, first: Any, max_rows: int, largest: bool) -> Any:
    """Return the smallest (or largest) of rows `first` to the row itself.

    Two windows of 2^k rows that overlap cover any window of up to 2^(k+1) rows
    (Bender, Farach-Colton 2000, the sparse table).
    """
    import polars as pl

    rows = pl.int_range(pl.len()) - first + 1
    found = pl.lit(None, pl.Float64)
    width = 1
    while width <= max_rows:
        if largest:
            table = x.rolling_max(width, min_samples=1)
            pair = pl.max_horizontal(
                table, table.gather(first + pl.min_horizontal(width, rows) - 1)
            )
        else:
            table = x.rolling_min(width, min_samples=1)
            pair = pl.min_horizontal(
                table, table.gather(first + pl.min_horizontal(width, rows) - 1)
            )
        found = pl.when(rows >= width).then(pair).otherwise(found)
        width *= 2
    return found
