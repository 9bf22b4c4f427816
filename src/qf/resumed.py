"""Definitions that are asked row by row: go on from the prefix that was asked for last.

A definition is given the whole past at every row. For a state machine with a large state that is
quadratic and slow; here the state after the last prefix is kept, and used if the new one extends
it. What the state is, and how one row changes it, stays the definition's own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

_last: dict[Hashable, tuple[list[float], Any]] = {}
MOST = 8  # definitions and parameter sets that are remembered


def resumed(key: Hashable, x: list[float], start: Any, step: Callable[[Any, float], Any]) -> Any:
    """Return start after step(state, value) for each value of x; step returns a new state."""
    known, state = _last.get(key, ([], start))
    if x[: len(known)] != known or not known:  # equal means the same objects where one is NaN
        known, state = [], start
    for value in x[len(known) :]:
        state = step(state, value)
    while len(_last) >= MOST and key not in _last:
        _last.pop(next(iter(_last)))
    _last[key] = (x, state)
    return state
