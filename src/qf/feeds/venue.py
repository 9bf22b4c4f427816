"""The venues: every module of this folder that names its VENUE; found by walking, never listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import Protocol, cast

import qf.feeds
from qf.errors import diagnostic, nearest
from qf.feeds.record import Record

UNKNOWN_VENUE = diagnostic(
    "QF300", "there is no mapper for the venue {name!r}", hint="known venues: {known}"
)
VENUE_TWICE = diagnostic("QF301", "the venue {name!r} is mapped by {first} and by {second}")


class Mapper(Protocol):
    """What a venue file provides."""

    VENUE: str
    ASSET_TYPE: str  # spot, linear or inverse
    CONTINUITY: str  # which sync rules its ids follow: spot, futures, or none

    @staticmethod
    def channels(symbols: Sequence[str]) -> tuple[str, ...]:
        """Return the channel names to subscribe to."""
        ...

    @staticmethod
    def parse(frame: bytes, processed_time: int) -> tuple[Record, ...]:
        """Return the frame's records; raise only Quarantine, whatever the bytes are."""
        ...


@cache
def venues() -> dict[str, Mapper]:
    """Return every venue's mapper by name. Errors: QF301."""
    found: dict[str, Mapper] = {}
    for info in pkgutil.iter_modules(qf.feeds.__path__):
        module = importlib.import_module(f"qf.feeds.{info.name}")
        name = getattr(module, "VENUE", None)
        if name is None:
            continue
        if name in found:
            first = getattr(found[name], "__name__", name)
            raise VENUE_TWICE(name=name, first=first, second=module.__name__)
        found[name] = cast(Mapper, module)
    return found


def find_venue(name: str) -> Mapper:
    """Return the mapper of a venue. Errors: QF300."""
    known = venues()
    if name not in known:
        raise UNKNOWN_VENUE(name=name, known=", ".join(sorted(known)), near=nearest(name, known))
    return known[name]
