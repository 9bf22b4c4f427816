"""How far our clock is from the venue's: the lower envelope of receive time minus event time.

    offset = min over the last `SPANS` spans of (receive - event)
    delay  = (receive - event) - offset

The least delayed message tells most. The receive time counts on the monotonic clock from one anchor
of the wall clock, so that a step of the wall clock changes neither. Reported, never used to correct
a time. Unit: ns. Source: definition (lower envelope), bounded to SPANS numbers.
"""

from __future__ import annotations

from qf.clock import SECOND_NS

SPAN_NS = 10 * SECOND_NS
SPANS = 60


class ClockOffset:
    """The offset of one venue."""

    def __init__(self, wall: int, monotonic: int) -> None:
        self._anchor = wall - monotonic
        self._least: list[tuple[int, int]] = []  # (span number, least difference in it)
        self._envelope: int | None = None

    def add(self, event_time: int, monotonic: int) -> int:
        """Take a message's event time in; return its delay above the envelope."""
        difference = monotonic + self._anchor - event_time
        span = monotonic // SPAN_NS
        rows = self._least
        if not rows or rows[-1][0] != span:
            rows.append((span, difference))
            while rows[0][0] <= span - SPANS:
                del rows[0]
            self._envelope = min(row[1] for row in rows)
        elif difference < rows[-1][1]:
            rows[-1] = (span, difference)
        if self._envelope is None or difference < self._envelope:
            self._envelope = difference
        return difference - self._envelope

    @property
    def offset_ns(self) -> int | None:
        """Return how much later our clock shows a message than the venue's, at the least."""
        return self._envelope
