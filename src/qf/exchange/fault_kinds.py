"""The kinds of faults: what each does, and what is drawn for it."""

from __future__ import annotations

from typing import NamedTuple

FRAMES = ("depth", "trade", "bookTicker")


class Shape(NamedTuple):
    """What a fault is: whom it befalls, the ranges of its length and number, how it is drawn."""

    about: str
    where: str  # frame, connection, venue or rest
    channels: tuple[str, ...] = ()
    seconds: tuple[float, float] = (0.0, 0.0)
    times: tuple[int, int] = (1, 1)
    per_symbol: bool = False
    apart: bool = False  # drawn by dice of its own: the other faults of a seed stay what they were


def _frame(about: str, channels: tuple[str, ...] = FRAMES, most: int = 1) -> Shape:
    return Shape(about, "frame", channels, times=(1, most), per_symbol=True)


KINDS = {
    # messages of one connection
    "drop": _frame("messages are lost on the way", most=4),
    "duplicate": _frame("messages arrive twice", most=3),
    "reorder": _frame("a message arrives after the next one of its stream"),
    "garbage": _frame("a message is replaced by bytes that mean nothing"),
    "cut_frame": _frame("a message ends in the middle"),
    "oversize": _frame("a message of more bytes than anyone should take"),
    "crossed": _frame("a depth message sets a bid above the best ask", ("depth",)),
    "zero_price": _frame("a price is zero"),
    "negative_price": _frame("a price is negative"),
    "nan_price": _frame("a price is not a number"),
    "huge_price": _frame("a price is beyond every number of steps"),
    "new_field": _frame("messages hold a field that nobody knows", most=20),
    "lost_field": _frame("a message lacks a field", most=2),
    "other_type": _frame("prices are numbers instead of text", most=2),
    "microseconds": _frame("times are in microseconds", most=50),
    # a whole connection
    "delay": Shape("nothing arrives for a while, then all at once", "connection", (), (0.2, 8.0)),
    "stall": Shape("messages are lost while pings go on", "connection", (), (1.0, 20.0)),
    "black_hole": Shape("nothing arrives any more, pings neither", "connection"),
    "disconnect": Shape("a connection is gone without a word", "connection"),
    "close": Shape("the venue closes a connection with a code", "connection"),
    "shutdown": Shape("serverShutdown, and later the end", "connection", (), (5.0, 60.0)),
    # the venue
    "gap": Shape("depth messages are lost for everybody", "venue", (), (0.1, 2.0), (1, 1), True),
    "trade_gap": Shape("trades are lost for everybody", "venue", (), (0.1, 3.0), (1, 1), True),
    "id_reset": Shape("update ids begin anew, far below", "venue", per_symbol=True),
    "halt": Shape("a symbol does not trade", "venue", (), (2.0, 60.0), (1, 1), True),
    "one_sided": Shape(
        "a symbol halts with an empty side, which comes back in part far away",
        "venue",
        (),
        (1.0, 20.0),
        per_symbol=True,
        apart=True,
    ),
    "clock_jump": Shape("the venue's clock is wrong", "venue", (), (5.0, 120.0)),
    "burst": Shape("ten times the usual activity", "venue", (), (3.0, 8.0), (1, 1), True),
    "outage": Shape("every connection is gone, no new one opens", "venue", (), (1.0, 30.0)),
    # requests
    "stale_snapshot": Shape("a snapshot is seconds old", "rest", (), (1.0, 30.0), (1, 3)),
    "cut_snapshot": Shape("the body of a snapshot ends in the middle", "rest", times=(1, 3)),
    "slow_answer": Shape("an answer takes seconds", "rest", (), (1.0, 15.0), (1, 3)),
    "server_error": Shape("the answer is 503 and no JSON", "rest", times=(1, 4)),
    "lost_answer": Shape("the connection is lost before the answer is whole", "rest", times=(1, 2)),
    "too_many": Shape("429: somebody else used the weight", "rest", (), (1.0, 60.0)),
    "banned": Shape("418 with Retry-After", "rest", (), (10.0, 180.0)),
}
