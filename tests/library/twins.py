"""Find columns that are one another's twins: equal up to an increasing or decreasing map.

Such columns have a rank correlation of 1 or -1 on their common rows, an affine map included. Values
within 1e-11 of one another are ties, and ties in one must be ties in the other: rounding differs
between two ways of computing the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

TIE, CLEAR = 1e-11, 1e-9
LEAST_ROWS = 60
SAME, DOUBT, RISE, FALL = 0, 1, 2, 3


def twins(columns: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """Return every pair of twins, in the mapping's order; a mere count of rows is nobody's twin."""
    names = [name for name, x in columns.items() if varies(x[np.isfinite(x)]) and not counts(x)]
    found = []
    for one, other in _candidates([columns[name] for name in names]):
        a, b = columns[names[one]], columns[names[other]]
        both = np.isfinite(a) & np.isfinite(b)
        a, b = a[both], b[both]
        alike = len(a) >= LEAST_ROWS and varies(a) and not (disagree(a, b) and disagree(a, -b))
        found += [(names[one], names[other])] if alike else []
    return found


def _candidates(columns: list[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Yield the places of the pairs whose steps from row to row never go apart, or always."""
    moves = np.array([_moves(x) for x in columns], np.float64)
    both, same = np.abs(moves) @ np.abs(moves).T, moves @ moves.T
    for one, other in zip(*np.nonzero(np.triu(both == np.abs(same), 1)), strict=True):
        yield int(one), int(other)


def _moves(x: np.ndarray) -> np.ndarray:
    """Return 1 where a row is clearly above the one before, -1 where below, 0 elsewhere."""
    with np.errstate(invalid="ignore"):
        step = _steps(x)
    return np.where(step == RISE, 1, np.where(step == FALL, -1, 0))


def counts(x: np.ndarray) -> bool:
    """Say whether a column only ever rises, or only falls: it tells the time, not the market."""
    moves = _moves(x)
    return not ((moves == 1).any() and (moves == -1).any())


def disagree(a: np.ndarray, b: np.ndarray) -> bool:
    """Say whether some two rows are clearly ordered in one column, and not so in the other."""
    order = np.argsort(a, kind="stable")
    in_a, in_b = _steps(a[order]), _steps(b[order])
    parted = ((in_a == RISE) & (in_b == SAME)) | ((in_a == SAME) & (in_b == RISE))
    return bool((parted | (in_b == FALL)).any())


def varies(x: np.ndarray) -> bool:
    """Say whether a column of finite values has two that are clearly different."""
    return bool((_steps(np.sort(x)) == RISE).any())


def _steps(x: np.ndarray) -> np.ndarray:
    """Return of each step between neighbours: a tie, a clear rise, a clear fall, or in doubt."""
    step = np.diff(x)
    known = x[np.isfinite(x)]
    floor = 1e-4 * float(np.abs(known).max(initial=0.0))  # near 0 rounding is not relative
    scale = np.maximum(np.maximum(np.abs(x[1:]), np.abs(x[:-1])), floor)
    size = np.abs(step) / np.where(scale > 0.0, scale, 1.0)
    way = np.where(step > 0.0, RISE, FALL)
    return np.where(size <= TIE, SAME, np.where(size > CLEAR, way, DOUBT))  # missing: in doubt
