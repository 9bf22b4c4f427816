"""How much memory the live parts of a session hold, and whether it grows.

Everything that can be reached from the engine and the session is counted once: objects, arrays,
buffers of Arrow. What belongs to the simulated world (the exchange with its whole truth, the disk,
the oracles) is not, nor are classes, modules and code.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

OUTSIDE = (
    "qf.simulator",
    "qf.exchange",
    "qf.testing",
    "qf.project",
    "qf.kernel",
    "qf.machine_code",
    "numba",
    "asyncio",
)
CODE = (type, ModuleType, CodeType, FrameType, BuiltinFunctionType)
EVERY_S = 300.0
WARM_S = 1_800.0  # before the first sample that counts
ENOUGH = 48  # samples: four hours
MOST_GROWTH = 0.05


class Memory:
    """Samples of what a session holds, over its virtual hours."""

    def __init__(self) -> None:
        self.samples: list[int] = []
        self._due = WARM_S

    def look(self, now_s: float, roots: Iterable[object]) -> None:
        """Take a sample if one is due."""
        if now_s >= self._due:
            self._due = now_s + EVERY_S
            self.samples.append(held_bytes(roots))

    @property
    def growth(self) -> float | None:
        """Return by how much the last third is above the first, None where there is too little."""
        third = len(self.samples) // 3
        if len(self.samples) < ENOUGH:
            return None
        return sum(self.samples[-third:]) / sum(self.samples[:third]) - 1.0


def held_bytes(roots: Iterable[object]) -> int:
    """Return the bytes of everything that can be reached from these objects."""
    seen: set[int] = set()
    waiting: list[Any] = list(roots)
    total = 0
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, CODE):
            continue
        seen.add(id(each))
        if type(each).__module__.startswith(OUTSIDE):
            continue
        total += _size(each)
        if isinstance(each, FunctionType):
            waiting += each.__closure__ or ()
        elif isinstance(each, np.ndarray):
            waiting.append(each.base)
        else:
            waiting += gc.get_referents(each)
    return total


def _size(each: Any) -> int:
    size = sys.getsizeof(each, 0)
    if type(each).__module__.startswith("pyarrow"):
        size += int(getattr(each, "nbytes", 0))
    return size
