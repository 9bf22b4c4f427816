"""Whether a stream still lives, judged by its payloads alone: a ping says nothing about it.

A stream is live after its first payload. Its typical gap is a running mean of the gaps between
payloads. A busy stream is stalled after 20 typical gaps, not before 1 s and not after `BUSY_NS`;
one whose 20 gaps are longer than that is quiet, and is stalled after the time to live that its
channel declares. A stream that came back was not dead: the long gap enters its mean. Monotonic ns.
Source: definition.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qf.clock import SECOND_NS

BUSY_NS = 2_500_000_000
LEAST_NS = SECOND_NS
GAPS = 20
WEIGHT = 1 / 32
ENOUGH = 16  # gaps seen before a mean of them is believed


@dataclass
class Liveness:
    """One stream of one symbol on one connection."""

    ttl_ns: int
    last: int | None = None
    typical_ns: float = 0.0
    seen: int = 0
    limit_ns: int = field(init=False)  # how long it may be silent

    def __post_init__(self) -> None:
        self.believe(self.typical_ns, self.seen)

    def believe(self, typical_ns: float, seen: int) -> None:
        """Take over a mean gap, and how many gaps it was made of."""
        self.typical_ns, self.seen = typical_ns, seen
        busy = max(LEAST_NS, GAPS * typical_ns)
        self.limit_ns = int(busy) if self.is_busy else self.ttl_ns

    def payload(self, now: int) -> None:
        """Take in that a payload came."""
        if self.last is not None:
            gap, seen = now - self.last, self.seen + 1
            weight = max(WEIGHT, 1.0 / seen)
            self.believe(self.typical_ns + (gap - self.typical_ns) * weight, seen)
        self.last = now

    @property
    def is_live(self) -> bool:
        """Say whether a payload has come at all."""
        return self.last is not None

    @property
    def is_busy(self) -> bool:
        """Say whether its payloads are known to come so often that silence soon tells."""
        return self.seen >= ENOUGH and GAPS * self.typical_ns <= BUSY_NS

    def silent_ns(self, now: int) -> int:
        """Return the time since the last payload; 0 before the first."""
        return 0 if self.last is None else now - self.last

    def is_stalled(self, now: int) -> bool:
        """Say whether the stream was live and has been silent for too long."""
        return self.last is not None and now - self.last > self.limit_ns
