"""What the frames after an instant are replaced by: kinds of garbage a socket could deliver.

A kind takes the real arrivals after the instant and returns others. They may be anything: what is
under test is that nothing which was read before them changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from qf.tape.source import Arrival

HOUR_NS = 3_600_000_000_000
Arrivals = Sequence[Arrival]


def hours_off(future: Arrivals, rng: np.random.Generator) -> list[Arrival]:
    """The real frames, received five hours later: every clock offset is another."""
    return [(time + 5 * HOUR_NS, payload, hint) for time, payload, hint in future]


def another_channel(future: Arrivals, rng: np.random.Generator) -> list[Arrival]:
    """The trades as aggregated trades, and those before everything else."""
    words = ((b"@trade", b"@aggTrade"), (b'"trade"', b'"aggTrade"'), (b'"t"', b'"a"'))
    found: list[Arrival] = []
    for time, payload, hint in future:
        if isinstance(payload, bytes) and b'"trade"' in payload:
            for old, new in words:
                payload = payload.replace(old, new)
            found.append((time, payload, hint))
    times = [item[0] for item in future]
    both = [*found, *future][: len(future)]
    return [(time, item[1], item[2]) for time, item in zip(times, both, strict=True)]


def unreadable(future: Arrivals, rng: np.random.Generator) -> list[Arrival]:
    """Random bytes."""
    return [
        (time, rng.integers(33, 127, int(rng.integers(1, 99))).astype(np.uint8).tobytes(), "")
        for time, _, _ in future
    ]


def backwards(future: Arrivals, rng: np.random.Generator) -> list[Arrival]:
    """The real frames in reverse, at the real times."""
    times = [item[0] for item in future]
    turned = reversed(future)
    return [(time, item[1], item[2]) for time, item in zip(times, turned, strict=True)]


def wild_clock(future: Arrivals, rng: np.random.Generator) -> list[Arrival]:
    """The real frames with receive times that jump by hours, forwards and back."""
    jumps = rng.integers(-3, 30, len(future)).tolist()
    moved = [(item[0] + jump * HOUR_NS, item) for item, jump in zip(future, jumps, strict=True)]
    return [(time, item[1], item[2]) for time, item in moved]


def other_numbers(future: Arrivals, rng: np.random.Generator) -> list[Arrival]:
    """The real frames with every other digit drawn: prices, sizes, ids, rates and times."""
    found: list[Arrival] = []
    for time, payload, hint in future:
        if isinstance(payload, bytes):
            text = np.frombuffer(payload, np.uint8).copy()
            digits = np.flatnonzero((text >= ord("1")) & (text <= ord("9")))[::2]
            text[digits] = rng.integers(ord("1"), ord("9") + 1, len(digits))
            payload = text.tobytes()
        found.append((time, payload, hint))
    return found


KINDS: dict[str, Callable[[Arrivals, np.random.Generator], list[Arrival]]] = {
    "hours off": hours_off,
    "another channel": another_channel,
    "other numbers": other_numbers,
    "unreadable": unreadable,
    "wild clock": wild_clock,
    "backwards": backwards,
}
