"""LOBSTER (NASDAQ): a message file and the book after each message, line by line.

A frame is a message line and its book line joined by ";". Times are the frame's own, which the
reader has already put on the file's date. Row k of the book is the state AFTER message k, so a
print stands before the book of its own message. The message's direction is the resting order's:
an execution of a resting sell was bought. A hidden execution was not made in the visible book
and is flagged non_market, as is a cross.
Source: LOBSTER sample files read-me, 2013.
"""

from __future__ import annotations

from collections.abc import Sequence

from qf.feeds.record import IGNORED, MAX_FRAME_BYTES, MAX_LEVELS, Quarantine, Record
from qf.schema import BIT, NULL_INT

VENUE = "lobster"
ASSET_TYPE = "spot"
CONTINUITY = "none"

EXECUTION, HIDDEN, CROSS, HALT = 4, 5, 6, 7
NO_LEVEL = 9_999_999_999  # LOBSTER's price where there is no such level


def channels(symbols: Sequence[str]) -> tuple[str, ...]:
    """Return nothing: LOBSTER is an archive, there is no channel to subscribe to."""
    return ()


def parse(frame: bytes, processed_time: int) -> tuple[Record, ...]:
    """Return the print, if the message is one, and the book after it."""
    if len(frame) > MAX_FRAME_BYTES:
        raise Quarantine("too_large")
    message, _, book = frame.partition(b";")
    try:
        _, kind_text, order, *numbers = message.split(b",")
        kind, size, price, direction = int(kind_text), *map(int, numbers[:3])
        levels = [int(text) for text in book.split(b",")]
        order_id = int(order)
    except ValueError:
        raise Quarantine("wrong_type") from None
    if len(levels) % 4 or not 4 <= len(levels) <= 4 * MAX_LEVELS:
        raise Quarantine("missing_field")
    if max(map(abs, (size, price, order_id, *levels))) > 2**53:
        raise Quarantine("number_out_of_range")
    if kind == HALT:
        return (IGNORED,)
    records: list[Record] = []
    if kind in (EXECUTION, HIDDEN, CROSS):
        flags = 0 if kind == EXECUTION else BIT["non_market"]
        aggressor = -direction if kind != CROSS and direction in (-1, 1) else 0
        level = ((_text(price), str(size)),)
        records.append(
            Record(
                "trade",
                event_time=processed_time,
                venue_time=processed_time,
                first_id=NULL_INT,
                direction=aggressor,
                flags=flags,
                bids=level,
            )
        )
    asks = _side(levels[0::4], levels[1::4])
    bids = _side(levels[2::4], levels[3::4])
    records.append(
        Record(
            "snapshot",
            event_time=processed_time,
            venue_time=processed_time,
            bids=bids,
            asks=asks,
        )
    )
    return tuple(records)


def _side(prices: list[int], sizes: list[int]) -> list[tuple[str, str]]:
    pairs = zip(prices, sizes, strict=True)
    return [(_text(price), str(size)) for price, size in pairs if abs(price) != NO_LEVEL]


def _text(price: int) -> str:
    """Return dollars of a price in 1/10,000 dollar."""
    sign = "-" if price < 0 else ""
    return f"{sign}{abs(price) // 10_000}.{abs(price) % 10_000:04d}"
