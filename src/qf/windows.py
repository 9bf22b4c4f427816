"""What several ops share about windows: how long a decay remembers, and Polars expressions.

The expressions are native only. Their inputs are columns that exist already: `.over` and
`.rolling` evaluate what stands before them once per group, so a nested expression that itself
looks back would see the group alone.
"""

from __future__ import annotations

import math
from typing import Any


def forgets(decay: float) -> int:
    """Return after how many rows a weight decay ^ rows is below 1e-9 (at least one row)."""
    if decay <= 0.0:
        return 1
    return max(1, math.ceil(math.log(1e-9) / math.log(decay)))


def per_window(expression: Any, window: int) -> Any:
    """Return `expression` evaluated afresh on the last `window` rows of every row."""
    import polars as pl

    return expression.rolling(index_column=pl.int_range(pl.len()), period=f"{window}i")


def whole(result: Any, window: int, *columns: Any) -> Any:
    """Return `result` where `window` rows exist and no column has a null in them, else null."""
    import polars as pl

    full = pl.lit(True)
    for column in columns:
        full = full & (column.is_not_null().cast(pl.Int64).rolling_sum(window) == window)
    return pl.when(full).then(result)


def window_sum(x: Any, window: int) -> Any:
    """Return the sum of the last `window` rows as tail of one block plus head of the next.

    Only rows inside are added: Polars' rolling sums keep the rounding of what has left.
    """
    import polars as pl

    row = pl.int_range(pl.len())
    block = row // window
    values = x.fill_null(0.0)
    head = values.cum_sum().over(block)
    tail = values.cum_sum(reverse=True).over(block).shift(window - 1)
    return whole(pl.when(row % window == window - 1).then(head).otherwise(head + tail), window, x)


def window_moments(x: Any, window: int) -> tuple[Any, Any]:
    """Return x minus the mean of its last `window` rows, and their squares' sum about that mean.

    Rolling sums subtract what leaves and keep its rounding. Here the window is the tail of one
    block and the head of the next (van Herk 1992), each summed about a value of its own, so only
    rows inside are added; the two are joined as Chan, Golub, LeVeque (1983) do.
    """
    import polars as pl

    row = pl.int_range(pl.len())
    block, phase = row // window, row % window
    first, last = x.drop_nulls().first(), x.drop_nulls().last()
    head = (x - first).fill_null(0.0)
    tail = (x - last).fill_null(0.0)
    n_head, n_tail = phase + 1, window - 1 - phase

    def tail_sum(values: Any) -> Any:
        return values.cum_sum(reverse=True).over(block).shift(window - 1)

    sum_head, sum_tail = head.cum_sum().over(block), tail_sum(tail)
    gap_head = (x - first.over(block)) - sum_head / n_head
    gap_tail = (x - last.over(block).shift(window - 1)) - sum_tail / n_tail
    square_head = (head * head).cum_sum().over(block) - sum_head * sum_head / n_head
    square_tail = tail_sum(tail * tail) - sum_tail * sum_tail / n_tail
    alone = n_tail == 0
    gap = (n_head * gap_head + n_tail * gap_tail) / window
    square = square_head + square_tail + (gap_head - gap_tail).pow(2) * n_head * n_tail / window
    return (
        pl.when(alone).then(gap_head).otherwise(gap),
        pl.when(alone).then(square_head).otherwise(square),
    )
