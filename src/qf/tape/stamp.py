"""Make the receive times of a source non-decreasing, and say where the clock moved.

    time goes back        the frame keeps the greatest time so far        clock_step
    time moves > 1 hour   believed when the next frame stays there        time_jump
                          else only this frame's clock was wrong: it gets the time before

Without the second rule one frame stamped a day late would stamp the whole day that follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from qf.tape.screen import HOUR_NS

# (stamped time, raw time, payload, symbol hint, rules)
Stamped = tuple[int, int, Any, str, tuple[str, ...]]


def stamp(arrivals: Iterable[tuple[int, Any, str]]) -> Iterator[Stamped]:
    """Yield every arrival with its stamped time; one frame is held back at a forward jump."""
    last: int | None = None
    held: tuple[int, Any, str] | None = None
    for item in arrivals:
        time, payload, hint = item
        if held is not None and last is not None:
            returned = time <= held[0] - HOUR_NS
            stamped = last if returned else held[0]
            yield stamped, held[0], held[1], held[2], ("time_jump",)
            last, held = stamped, None
        if last is None:
            last = time
        elif time > last + HOUR_NS:
            held = item
            continue
        elif time < last:
            rules = ("clock_step", "time_jump") if last - time > HOUR_NS else ("clock_step",)
            yield last, time, payload, hint, rules
            continue
        else:
            last = time
        yield time, time, payload, hint, ()
    if held is not None:
        yield held[0], held[0], held[1], held[2], ("time_jump",)
