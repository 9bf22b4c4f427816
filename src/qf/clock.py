"""Time as int64 nanoseconds UTC: units, parsing, formatting, and the seam for the wall clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache

from qf.errors import Place, diagnostic

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
UNIT_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND_NS}
DURATION_NS = {**UNIT_NS, "m": 60 * SECOND_NS, "h": 3600 * SECOND_NS, "d": DAY_NS}

# 2005-01-01 .. 2100-01-01: a declared unit that puts a time outside is wrong by a factor of 1000.
EARLIEST_NS = 1_104_537_600 * SECOND_NS
LATEST_NS = 4_102_444_800 * SECOND_NS

BAD_TIME = diagnostic(
    "QF001",
    "{text!r} is not a date or time",
    hint="write 2024-08-08 or 2024-08-08T23:54:00Z",
)


def parse_time(text: str, place: Place | None = None) -> int:
    """Return the ns of an ISO date or time; without an offset it is UTC. Errors: QF001."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BAD_TIME(text=text, place=place) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND_NS + delta.microseconds * 1_000


def is_date(text: str) -> bool:
    """Say whether `text` names a whole day rather than an instant."""
    return len(text.strip()) == 10


def format_time(ns: int) -> str:
    """Return an ISO time with as many decimals as the nanoseconds need."""
    moment = _second_text(ns // SECOND_NS)
    fraction = f"{ns % SECOND_NS:09d}".rstrip("0")
    return f"{moment}.{fraction}Z" if fraction else f"{moment}Z"


@lru_cache(maxsize=256)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def wall_ns() -> int:
    """Return the wall clock; only code above row 4 may ask (everything else is handed a time)."""
    return time.time_ns()
