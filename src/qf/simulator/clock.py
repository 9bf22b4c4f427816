"""Two virtual clocks: a monotonic one that is the loop's, and a wall that may step."""

from __future__ import annotations

import asyncio

from qf.simulator.loop import VirtualLoop

SECOND_NS = 1_000_000_000


class VirtualClock:
    """Tell the loop's time; the wall adds what it was stepped by, as NTP steps a real one."""

    def __init__(self, loop: VirtualLoop, start_ns: int) -> None:
        self._time, self._start_ns = loop.time, start_ns
        self.stepped_ns = 0

    def true_ns(self) -> int:
        """Return UTC as it is, whatever the wall shows."""
        return self._start_ns + self.monotonic_ns()

    def wall_ns(self) -> int:
        """Return UTC as the wall shows it."""
        return self.true_ns() + self.stepped_ns

    def monotonic_ns(self) -> int:
        """Return virtual ns since the loop was made."""
        return round(self._time() * SECOND_NS)

    def step(self, ns: int) -> None:
        """Move the wall by so much, in either direction."""
        self.stepped_ns += ns

    async def sleep(self, seconds: float) -> None:
        """Return after so many virtual seconds."""
        await asyncio.sleep(seconds)
