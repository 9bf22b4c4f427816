"""The receive time of frames: the wall clock, which may be set, never behind the time that passed.

    t = max(wall, last t + what the monotonic clock counted since)

A wall clock that is set back would let every frame carry the time of the one before it until it
has caught up: ages would be 0, and a book that stands still would look fresh. So the frames go on
as if it had not been set, until the wall clock is ahead again; after a restart too, from the time
of the last frame in the journal. Unit: ns. Source: definition.
"""

from __future__ import annotations

from qf.seams import Clock


class ArrivalClock:
    """What a session stamps its frames with."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last, self._counted = clock.wall_ns(), clock.monotonic_ns()

    def go_on_from(self, time: int) -> None:
        """Stamp nothing before `time`, the last frame's of the process before."""
        self._last = max(self.now_ns(), time)

    def now_ns(self) -> int:
        """Return the receive time of a frame that is here now."""
        counted = self._clock.monotonic_ns()
        passed = self._last + counted - self._counted
        self._last, self._counted = max(self._clock.wall_ns(), passed), counted
        return self._last
