"""How long to wait after a failure: twice as long each time up to a cap, never the same for all.

    wait = ceiling * (1/2 + u/2),  ceiling = min(cap, first * 2^failures),  u in [0, 1)

A success does not reset it at once, or a server that accepts and drops would be called without
end: only what held for `steady_s` does. Seconds. Source: definition (half jitter).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

MOST_DOUBLINGS = 32


@dataclass
class Backoff:
    """The failures in a row of one thing that is tried again."""

    chance: random.Random
    first_s: float = 0.25
    cap_s: float = 30.0
    steady_s: float = 30.0
    failures: int = 0

    def next(self) -> float:
        """Count a failure and return the seconds to wait."""
        ceiling = min(self.cap_s, self.first_s * 2.0 ** min(self.failures, MOST_DOUBLINGS))
        self.failures += 1
        return ceiling * (0.5 + 0.5 * self.chance.random())

    def held(self, seconds: float) -> None:
        """Forget the failures if what was tried held for long enough."""
        if seconds >= self.steady_s:
            self.failures = 0
