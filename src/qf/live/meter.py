"""How fast frames go through: throughput, and the time from arrival to rows handed out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from qf.seams import Clock
from qf.tape.journal import Frame

REMEMBERED = 8_192  # latencies that percentiles are taken of
MOST_MS = 10_000  # of the count by milliseconds; longer ones count as this
SECONDS = 10  # over which throughput is counted
SECOND = 1_000_000_000


class Meter:
    """Count frames and remember latencies, all on the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.frames = 0
        self._latencies: deque[int] = deque(maxlen=REMEMBERED)
        self._counts = [0] * (MOST_MS + 1)  # of all frames, by whole milliseconds
        self._groups: deque[tuple[int, int]] = deque()
        self._last = 0

    def done(self, group: Iterable[tuple[Frame, int]]) -> None:
        """Take a group whose rows were handed out now."""
        now = self._clock.monotonic_ns()
        arrived = [time for _, time in group]
        taken = [now - time for time in arrived]
        self._latencies.extend(taken)
        for each in taken:
            self._counts[min(each // 1_000_000, MOST_MS)] += 1
        self.frames += len(arrived)
        self._last = now
        self._groups.append((now, len(arrived)))
        while self._groups and self._groups[0][0] < now - SECONDS * SECOND:
            self._groups.popleft()

    def latencies_ms(self) -> dict[str, float]:
        """Return p50, p95 and p99 of the latest frames; empty before the first."""
        ordered = sorted(self._latencies)
        if not ordered:
            return {}
        places = {f"p{share}": share * (len(ordered) - 1) // 100 for share in (50, 95, 99)}
        return {name: ordered[place] / 1e6 for name, place in places.items()}

    def whole_ms(self) -> dict[str, float]:
        """Return p50, p95, p99 and the longest of all frames, rounded up to milliseconds."""
        wanted = {f"p{share}": -(-share * self.frames // 100) for share in (50, 95, 99)}
        wanted["longest"] = self.frames
        found: dict[str, float] = {}
        seen = 0
        for milliseconds, count in enumerate(self._counts):
            seen += count
            for name, rank in wanted.items():
                if name not in found and 0 < rank <= seen:
                    found[name] = float(milliseconds + 1)
        return found

    def told(self) -> dict[str, Any]:
        """Return the figures, as JSON values."""
        now = self._clock.monotonic_ns()
        recent = sum(count for time, count in self._groups if time >= now - SECONDS * SECOND)
        return {
            "frames": self.frames,
            "frames_per_second": recent / SECONDS,
            "latency_ms": self.latencies_ms(),
            "latency_whole_ms": self.whole_ms(),
            "age_of_last_frame_s": (now - self._last) / SECOND if self.frames else None,
        }
