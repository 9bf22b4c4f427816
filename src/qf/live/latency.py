"""Durations counted in buckets: quantiles from bounded memory.

A bucket is 1/8 of a power of two wide, so a quantile is at most 12.5 % too high and never too low.
Two halves turn over, so that what is shown is of the last one to two spans. Unit: ns.
Source: definition (log-linear histogram).
"""

from __future__ import annotations

STEPS = 8
OCTAVES = 56  # up to 2^56 ns, two years
BUCKETS = STEPS * OCTAVES


def bucket_of(ns: int) -> int:
    """Return the bucket of a duration; what is not positive is in the first."""
    if ns < STEPS:
        return max(0, ns)
    octave = ns.bit_length() - 4  # 8..15 is octave 0
    return min(BUCKETS - 1, STEPS * (octave + 1) + ((ns >> octave) & (STEPS - 1)))


def upper_edge(bucket: int) -> int:
    """Return the longest duration of a bucket."""
    if bucket < STEPS:
        return bucket
    octave, step = divmod(bucket, STEPS)
    return ((STEPS + step + 1) << (octave - 1)) - 1


class Latency:
    """The durations of the last one to two spans of `span_ns` monotonic time."""

    def __init__(self, span_ns: int = 60_000_000_000) -> None:
        self._span, self._turned = span_ns, 0
        self._now = [0] * BUCKETS
        self._before = [0] * BUCKETS
        self.count = 0

    def add(self, ns: int, now: int) -> None:
        """Count one duration at a monotonic time."""
        if now - self._turned >= self._span:
            older = now - self._turned >= 2 * self._span
            self._before = [0] * BUCKETS if older else self._now
            self._now = [0] * BUCKETS
            self._turned = now
        self._now[bucket_of(ns)] += 1
        self.count += 1

    def quantile(self, share: float) -> int | None:
        """Return the duration that this share does not exceed; None where nothing was counted."""
        rows = [a + b for a, b in zip(self._now, self._before, strict=True)]
        total = sum(rows)
        if total == 0:
            return None
        wanted, seen = share * total, 0
        for bucket, count in enumerate(rows):
            seen += count
            if seen >= wanted and count:
                return upper_edge(bucket)
        return upper_edge(BUCKETS - 1)

    def summary(self) -> dict[str, float | None]:
        """Return p50, p95 and p99 in ms."""
        found = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        told = {name: self.quantile(share) for name, share in found.items()}
        return {f"{name}_ms": None if ns is None else ns / 1e6 for name, ns in told.items()}
