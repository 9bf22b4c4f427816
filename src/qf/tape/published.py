"""What a venue publishes beside trades and book, as rows of the tape: one row per value.

A mark price, a funding rate and the size of a forced order lie on no grid of ticks or lots, so a
row holds its value whole: the 64 bits of the float64 nearest to the venue's decimal text.
"""

from __future__ import annotations

import math
import struct

from qf.feeds.record import Record
from qf.schema import PUBLISHED
from qf.tape.grid import Refused

# The numbers of a record in their order; those of the tape by name, "" for the table's alone.
_NAMES = {
    "mark": ("mark_price", "index_price", "settle_price", "funding_rate"),
    "liquidation": ("", "forced", ""),
    "open_interest": ("open_interest",),
}
_FORCED = {1: "forced_buy_volume", -1: "forced_sell_volume", 0: ""}
# What must be there and positive, and what must not be negative.
_PRICES, _SIZES = ("mark_price", ""), ("forced", "open_interest")
MOST_CHARACTERS = 60


def value_rows(record: Record) -> tuple[list[int], list[int], list[int]]:
    """Return sides, prices and sizes of the record's rows; a value that is "" has none.

    A record without a value, such as a forced order of unknown direction, has one row of side 0.
    Raises Refused where a text is no finite number, or not of the sign that it must be.
    """
    sides, bits = [], []
    for place, (name, text) in enumerate(zip(_NAMES[record.stream], record.values, strict=False)):
        if text == "" and place:
            continue
        value = _number(text)
        if place == 0 and name in _PRICES and value <= 0:
            raise Refused("price_not_positive")
        if name in _SIZES and value < 0:
            raise Refused("size_negative")
        shown = _FORCED[record.direction] if name == "forced" else name
        if shown:
            sides.append(PUBLISHED[shown])
            bits.append(_bits(value))
    return (sides, bits, [0] * len(sides)) if sides else ([0], [0], [0])


def _number(text: str) -> float:
    try:
        value = float(text) if len(text) <= MOST_CHARACTERS and "_" not in text else None
    except ValueError:
        value = None
    if value is None:
        raise Refused("not_a_number")
    if not math.isfinite(value):
        raise Refused("number_not_finite")
    return value


def _bits(value: float) -> int:
    # -0.0 has the bits of a missing integer
    return struct.unpack("<q", struct.pack("<d", value + 0.0))[0]
