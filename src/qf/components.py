"""The first principal component of some columns: weights measured on a stretch, used on the next.

The covariance matrix is squared again and again, scaled to a trace of 1: it tends to v v', v the
component (von Mises's iteration, its steps doubling each time), however small the gap.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

SIZE = 10  # columns
SQUARINGS = 40  # 2^40 steps part eigenvalues that differ by one part in 10^11


@functools.lru_cache(maxsize=256)
def weights_of(rows: Sequence[Sequence[float]]) -> tuple[float, ...] | None:
    """Return the weights of known rows, their sizes summing to 1 (definitions call this)."""
    columns = [[value - column[-1] for value in column] for column in zip(*rows, strict=True)]
    centres = [math.fsum(column) / len(rows) for column in columns]
    gaps = [[value - mean for value in c] for c, mean in zip(columns, centres, strict=True)]
    matrix = [[math.fsum(map(float.__mul__, one, other)) for other in gaps] for one in gaps]
    for _ in range(SQUARINGS):
        trace = sum(matrix[k][k] for k in range(SIZE))
        if not trace > 0.0 or trace == math.inf:
            return None
        scaled = [[value / trace for value in row] for row in matrix]
        matrix = [[sum(map(float.__mul__, one, other)) for other in scaled] for one in scaled]
    heaviest = max(range(SIZE), key=lambda k: matrix[k][k])
    column = matrix[heaviest]
    total = math.fsum(abs(value) for value in column)
    total = math.copysign(total, math.fsum(column))
    return tuple(value / total for value in column) if total != 0.0 else None


def add_products(matrix: Any, at: int, gaps: Any, start: int) -> None:
    """Add the products of the SIZE gaps to the matrix that begins at `at`."""
    for one in range(SIZE):
        for other in range(SIZE):
            matrix[at + SIZE * one + other] += gaps[start + one] * gaps[start + other]


def square(state: Any, at: int, spare: int) -> bool:
    """Replace the matrix at `at` by its square over its trace's; say whether it has one."""
    trace = 0.0
    for k in range(SIZE):
        trace += state[at + SIZE * k + k]
    if not trace > 0.0 or trace == math.inf:
        return False
    for k in range(SIZE * SIZE):
        state[spare + k] = state[at + k] / trace
    for one in range(SIZE):
        for other in range(SIZE):
            total = 0.0
            for k in range(SIZE):
                total += state[spare + SIZE * one + k] * state[spare + SIZE * other + k]
            state[at + SIZE * one + other] = total
    return True


def weights_from(state: Any, at: int, spare: int) -> bool:
    """Turn the matrix at `at` into weights in state[0..SIZE-1]; say whether there are any."""
    for _ in range(SQUARINGS):
        if not square(state, at, spare):
            return False
    heaviest = 0
    for k in range(1, SIZE):
        if state[at + SIZE * k + k] > state[at + SIZE * heaviest + heaviest]:
            heaviest = k
    size, total = 0.0, 0.0
    for k in range(SIZE):
        size += abs(state[at + SIZE * heaviest + k])
        total += state[at + SIZE * heaviest + k]
    if size == 0.0:
        return False
    size = -size if total < 0.0 else size
    for k in range(SIZE):
        state[k] = state[at + SIZE * heaviest + k] / size
    return True
