"""What a mapper makes of one frame: records in the venue's own decimal text, or a refusal.

A mapper never knows the instrument's grid, so prices and sizes stay exactly what the venue wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from qf.schema import BBO, DEPTH, MARK, NULL_INT, SNAPSHOT, TRADE

# The accounting streams, and the tape kind each one writes (0: no tape row).
STREAMS = {
    "trade": TRADE,
    "agg_trade": TRADE,
    "depth": DEPTH,
    "snapshot": SNAPSHOT,
    "bbo": BBO,
    "mark": MARK,
    "liquidation": MARK,
    "open_interest": MARK,
    "other": 0,  # a channel nobody asked for: ignored and counted
    "unreadable": 0,  # a bad frame whose stream cannot be told
}
# What a frame may hold before it is refused: Binance's largest book is 5,000 levels a side.
MAX_FRAME_BYTES = 8 << 20
MAX_LEVELS = 10_000
# Ids and times are non-negative and leave room for arithmetic in int64.
MAX_INT = 2**62

Levels = Sequence[Any]


class Record(NamedTuple):
    """One message of one symbol; times in ns, missing integers are NULL_INT.

    `bids` and `asks` are levels (price text, size text), or for archives a pair of float64
    arrays. A trade stands in `bids` when its direction is up or unknown, else in `asks`.
    """

    stream: str
    symbol: str = ""  # "" where the message does not say
    event_time: int = NULL_INT
    venue_time: int = NULL_INT
    first_id: int = NULL_INT
    last_id: int = NULL_INT
    prev_id: int = NULL_INT
    direction: int = 0
    flags: int = 0
    bids: Levels = ()
    asks: Levels = ()
    values: tuple[Any, ...] = ()  # mark and liquidation: see tape/tables.py
    rules: tuple[str, ...] = ()  # defects an archive reader saw while grouping rows


class Quarantine(Exception):
    """Refuse a frame: the rules it broke, and what it would have been as far as that shows."""

    def __init__(self, *rules: str, stream: str = "unreadable", symbol: str = "") -> None:
        super().__init__(", ".join(rules))
        self.rules, self.stream, self.symbol = rules, stream, symbol


IGNORED = Record("other")
