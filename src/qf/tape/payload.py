"""An arrival's payload as JSON values and back: frames, broken input, and an archive's records.

Only what waits for the next arrival is ever written so; everything else is on the tape by then.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from qf.feeds.record import Record
from qf.tape.source import Broken

_LEVELS = ("bids", "asks")


def write_payload(payload: Any) -> list[Any]:
    """Return the payload as JSON values: a kind, and what it holds."""
    if isinstance(payload, bytes):
        return ["frame", base64.b64encode(payload).decode()]
    if isinstance(payload, Broken):
        return ["broken", payload.rule, base64.b64encode(payload.frame).decode()]
    assert isinstance(payload, Record)
    fields = payload._asdict()
    fields |= {name: _written(fields[name]) for name in _LEVELS}
    return ["record", fields]


def read_payload(state: list[Any]) -> Any:
    """Return the payload that `write_payload` wrote."""
    kind, *rest = state
    if kind == "frame":
        return base64.b64decode(rest[0])
    if kind == "broken":
        return Broken(rest[0], base64.b64decode(rest[1]))
    fields = dict(rest[0])
    fields |= {name: _read(fields[name]) for name in _LEVELS}
    fields |= {name: tuple(fields[name]) for name in ("values", "rules")}
    return Record(**fields)


def _written(levels: Any) -> list[Any]:
    if levels.__class__ is tuple and levels and isinstance(levels[0], np.ndarray):
        return ["arrays", *(column.tolist() for column in levels)]
    return ["texts", *(list(level) for level in levels)]


def _read(state: list[Any]) -> Any:
    kind, *rest = state
    if kind == "arrays":
        return tuple(np.array(column, dtype=np.float64) for column in rest)
    return tuple(tuple(level) for level in rest)
