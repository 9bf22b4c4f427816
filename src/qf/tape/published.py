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

# The values of a record by their places, "" for what is kept in the side table only.
_NAMES = {
    "mark": ("mark_price", "index_price", "settle_price", "funding_rate"),
    "liquidation": ("", "forced"),
    "open_interest": ("open_interest",),
}
MOST_CHARACTERS = 60


def value_rows(record: Record) -> tuple[list[int], list[int], list[int]]:
    """Return sides, prices and sizes of the record's rows; a value that is "" has none.

    A forced order of unknown direction has one row of side 0. Raises Refused where a text is no
    finite number, or the first, a price or an amount, is not positive.
    """
    forced = "forced_buy" if record.direction > 0 else "forced_sell"
    sides, bits = [], []
    for place, text in enumerate(record.values):
        if not isinstance(text, str) or (record.stream == "liquidation" and place == 3):
            continue
        if text == "" and place:
            continue
        value = _number(text)
        if place == 0 and value <= 0:
            raise Refused("price_not_positive")
        name = "".join(_NAMES[record.stream][place : place + 1])
        name = forced if name == "forced" else name
        if name and (record.direction or name != forced):
            sides.append(PUBLISHED[name])
            bits.append(_bits(value))
    if not sides:
        return [0], [0], [0]
    return sides, bits, [0] * len(sides)


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
