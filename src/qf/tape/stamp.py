"""Make the receive times of a source non-decreasing, and say where the clock moved.

    time goes back        the frame keeps the greatest time so far        clock_step
    time moves > 1 hour   believed when the next frame stays there        time_jump
                          else only this frame's clock was wrong: it gets the time before

Without the second rule one frame stamped a day late would stamp the whole day that follows. The
frame at such a jump is held back until the next one arrives, and given out before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from qf.tape.payload import read_payload, write_payload
from qf.tape.reference import HOUR_NS

Arrived = tuple[int, Any, str]
# (stamped time, raw time, payload, symbol hint, rules)
Stamped = tuple[int, int, Any, str, tuple[str, ...]]


class Stamper:
    """Stamp one arrival after the other; state is the last time and at most one frame."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._held: Arrived | None = None

    def feed(self, item: Arrived) -> list[Stamped]:
        """Return the arrivals whose time is decided now, this one among them or held back."""
        time, payload, hint = item
        ready = self._released(time) if self._held is not None else []
        last = self._last
        if last is None or last <= time <= last + HOUR_NS:
            self._last = time
            ready.append((time, time, payload, hint, ()))
        elif time > last:
            self._held = item
        else:
            rules = ("clock_step", "time_jump") if last - time > HOUR_NS else ("clock_step",)
            ready.append((last, time, payload, hint, rules))
        return ready

    @property
    def holds_back(self) -> bool:
        """Say whether an arrival waits for the next one."""
        return self._held is not None

    def end(self) -> list[Stamped]:
        """Return what was held back, where nothing follows: its time is believed."""
        return self._released(None) if self._held is not None else []

    def _released(self, next_time: int | None) -> list[Stamped]:
        assert self._held is not None and self._last is not None
        time, payload, hint = self._held
        returned = next_time is not None and next_time <= time - HOUR_NS
        self._last, self._held = self._last if returned else time, None
        return [(self._last, time, payload, hint, ("time_jump",))]

    def state(self) -> dict[str, Any]:
        """Return the last time and the frame held back, as JSON values."""
        held = None
        if self._held is not None:
            time, payload, hint = self._held
            held = [time, write_payload(payload), hint]
        return {"last": self._last, "held": held}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._last, self._held = state["last"], None
        if state["held"] is not None:
            time, payload, hint = state["held"]
            self._held = (time, read_payload(payload), hint)


def stamp(arrivals: Iterable[Arrived]) -> Iterator[Stamped]:
    """Yield every arrival of a finished source with its stamped time."""
    stamper = Stamper()
    for item in arrivals:
        yield from stamper.feed(item)
    yield from stamper.end()
