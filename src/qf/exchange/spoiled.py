"""Frames with something wrong in them, made from whole ones."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_LEVEL = re.compile(rb'\["(\d+\.\d+)","(\d+(?:\.\d+)?)"\]')
_PRICE = re.compile(rb'"([pab])":"(\d+\.\d+)"')
_TIME = re.compile(rb'"([ET])":(\d{13})\b')
_FIELD = re.compile(rb'"(u|p|q|s|t)":("[^"]*"|\d+),')
OVERSIZE = 33_554_433  # bytes: one more than 32 MiB


def _with_price(frame: bytes, price: bytes) -> bytes:
    """Return the frame with its first price replaced; unchanged when it has none."""
    found = _LEVEL.search(frame)
    if found is None:
        found = _PRICE.search(frame)
        if found is None:
            return frame
        return frame[: found.start(2)] + price + frame[found.end(2) :]
    return frame[: found.start(1)] + price + frame[found.end(1) :]


def garbage(frame: bytes, chance: random.Random) -> bytes:
    """Return as many bytes that mean nothing."""
    return chance.randbytes(len(frame)) if chance.random() < 0.5 else b"{" + frame[::-1]


def cut_frame(frame: bytes, chance: random.Random) -> bytes:
    """Return the beginning of the frame."""
    return frame[: 1 + int((len(frame) - 2) * chance.random())]


def oversize(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame with more spaces behind it than anybody takes."""
    return frame + b" " * (OVERSIZE - len(frame))


def zero_price(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame with a price of zero."""
    return _with_price(frame, b"0.00000000")


def negative_price(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame with a price below zero."""
    return _with_price(frame, b"-61700.00000000")


def nan_price(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame with a price that is no number."""
    return _with_price(frame, chance.choice((b"NaN", b"nan", b"Infinity", b"", b"1e")))


def huge_price(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame with a price beyond 2**53 steps."""
    return _with_price(frame, chance.choice((b"9" * 30 + b".00000000", b"1e300")))


def new_field(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame with one field more in its payload."""
    at = frame.rindex(b"{", 0, frame.find(b":", frame.find(b'"data":') + 7)) + 1
    return frame[:at] + b'"zz":{"new":[1,2,3]},' + frame[at:]


def lost_field(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame without one of the fields that it must have."""
    found = list(_FIELD.finditer(frame))
    if not found:
        return cut_frame(frame, chance)
    gone = chance.choice(found)
    return frame[: gone.start()] + frame[gone.end() :]


def other_type(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame with its numbers as numbers instead of text."""
    return _PRICE.sub(rb'"\1":\2', _LEVEL.sub(rb"[\1,\2]", frame))


def microseconds(frame: bytes, chance: random.Random) -> bytes:
    """Return the frame with its times in microseconds."""
    return _TIME.sub(rb'"\1":\g<2>000', frame)


SPOILED: dict[str, Callable[[bytes, random.Random], bytes]] = {
    function.__name__: function
    for function in (
        garbage,
        cut_frame,
        oversize,
        zero_price,
        negative_price,
        nan_price,
        huge_price,
        new_field,
        lost_field,
        other_type,
        microseconds,
    )
}


def crossed(frame: bytes, level: bytes) -> bytes:
    """Return a depth frame whose first bid is a level above the best ask."""
    at = frame.index(b'"b":[') + 5
    comma = b"" if frame[at : at + 1] == b"]" else b","
    return frame[:at] + level + comma + frame[at:]
