"""The kinds of defect, one function each; its name is the kind, its decorator the answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from qf.testing.defects import (
    ALL,
    BBO,
    BOOK,
    DEPTH,
    KEPT,
    TIMED,
    TRADE,
    UNKNOWN,
    Frame,
    gap_rule,
    kind,
    move,
)

Message = dict[str, Any]
HOUR_MS = 3_600_000


def _change(frame: Frame, message: Message, **fields: Any) -> None:
    message["data"].update(fields)
    frame.write(message)


def _shift(frame: Frame, message: Message, milliseconds: int) -> None:
    data = message["data"]
    names = [name for name in ("E", "T") if name in data]
    _change(frame, message, **{name: data[name] + milliseconds for name in names})


def _level(message: Message, rng: random.Random) -> list[str]:
    data = message["data"]
    levels = data["b"] + data["a"]
    if not levels:  # an empty message gets one level, to be damaged
        data["b"] = levels = [["1.00", "1"]]
    return rng.choice(levels)


def _price(frame: Frame, message: Message, rng: random.Random, text: str) -> None:
    data = message["data"]
    if frame.stream == "trade":
        data["p"] = text
    elif frame.stream == "bbo":
        data[rng.choice("ba")] = text
    else:
        _level(message, rng)[0] = text
    frame.write(message)


def _size(frame: Frame, message: Message, rng: random.Random, text: str) -> None:
    data = message["data"]
    if frame.stream == "trade":
        data["q"] = text
    elif frame.stream == "bbo":
        data[rng.choice("BA")] = text
    else:
        _level(message, rng)[1] = text
    frame.write(message)


@kind("not_json", ALL, UNKNOWN)
def frame_cut(frame: Frame, message: Message, rng: random.Random) -> None:
    """End the frame in the middle."""
    frame.body = frame.body[: rng.randrange(1, len(frame.body))]


@kind("not_json", ALL, UNKNOWN)
def garbage(frame: Frame, message: Message, rng: random.Random) -> None:
    """Put random printable bytes in the frame's place."""
    frame.body = b"#" + bytes(rng.randrange(33, 127) for _ in range(rng.randrange(1, 200)))


@kind("not_json", ALL, UNKNOWN)
def json_nan(frame: Frame, message: Message, rng: random.Random) -> None:
    """Write NaN where JSON has no such word."""
    frame.body = frame.body.replace(b'"u":', b'"u":NaN,"x":').replace(b'"t":', b'"t":NaN,"x":')


@kind("too_deep", ALL, UNKNOWN)
def nested_deeply(frame: Frame, message: Message, rng: random.Random) -> None:
    """Nest arrays deeper than any reader should follow."""
    frame.body = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@kind("unknown_frame", ALL, UNKNOWN)
def foreign_message(frame: Frame, message: Message, rng: random.Random) -> None:
    """Put some other valid JSON object in the frame's place."""
    frame.body = b'{"hello":"world"}'


@kind("receive_time_unreadable", ALL, UNKNOWN)
def receive_time_lost(frame: Frame, message: Message, rng: random.Random) -> None:
    """Damage the receive time."""
    frame.time = b"x" + frame.time[1:]


@kind("missing_field", ALL, after="gap")
def field_missing(frame: Frame, message: Message, rng: random.Random) -> None:
    """Drop a field that the message must have."""
    names = [name for name in message["data"] if name not in ("e", "ps", "M", "X")]
    del message["data"][rng.choice(names)]
    frame.write(message)


@kind("wrong_type", ALL, after="gap")
def field_null(frame: Frame, message: Message, rng: random.Random) -> None:
    """Put null in the place of a value."""
    names = [name for name in message["data"] if name not in ("e", "ps", "M", "X")]
    _change(frame, message, **{rng.choice(names): None})


@kind("wrong_type", TRADE, after="gap")
def price_unquoted(frame: Frame, message: Message, rng: random.Random) -> None:
    """Send the price as a JSON number."""
    _change(frame, message, p=float(message["data"]["p"]))


@kind("number_out_of_range", ALL, after="gap")
def id_negative(frame: Frame, message: Message, rng: random.Random) -> None:
    """Make the id negative."""
    name = "t" if frame.stream == "trade" else "u"
    _change(frame, message, **{name: -message["data"][name]})


@kind("wrong_symbol", ALL, after="gap")
def symbol_of_another(frame: Frame, message: Message, rng: random.Random) -> None:
    """Name another symbol than the stream."""
    _change(frame, message, s="ETHUSDT")


@kind("too_many_levels", DEPTH, after="gap")
def levels_without_end(frame: Frame, message: Message, rng: random.Random) -> None:
    """Send more levels than any book has."""
    _change(frame, message, b=[[f"{price}.0", "1"] for price in range(1, 10_002)])


@kind("event_time_zero", TIMED)
def time_zero(frame: Frame, message: Message, rng: random.Random) -> None:
    """Zero the venue's times."""
    _shift(frame, message, 0)
    names = [name for name in ("E", "T") if name in message["data"]]
    _change(frame, message, **dict.fromkeys(names, 0))


@kind("event_time_out_of_range", TIMED)
def time_in_seconds(frame: Frame, message: Message, rng: random.Random) -> None:
    """Write the venue's times in seconds."""
    data = message["data"]
    names = [name for name in ("E", "T") if name in data]
    _change(frame, message, **{name: data[name] // 1000 for name in names})


@kind("time_jump", TIMED)
def time_far_ahead(frame: Frame, message: Message, rng: random.Random) -> None:
    """Move the venue's times hours ahead."""
    _shift(frame, message, HOUR_MS * rng.randrange(2, 48))


@kind("time_jump", TIMED)
def time_far_behind(frame: Frame, message: Message, rng: random.Random) -> None:
    """Move the venue's times hours back."""
    _shift(frame, message, -HOUR_MS * rng.randrange(2, 48))


@kind("out_of_order", TIMED, KEPT)
def time_backwards(frame: Frame, message: Message, rng: random.Random) -> None:
    """Move the venue's times some minutes back."""
    _shift(frame, message, -rng.randrange(900_000, 3_000_000))


@kind("price_not_positive", ALL)
def price_zero(frame: Frame, message: Message, rng: random.Random) -> None:
    """Zero a price."""
    _price(frame, message, rng, "0.00")


@kind("price_not_positive", ALL)
def price_negative(frame: Frame, message: Message, rng: random.Random) -> None:
    """Negate a price."""
    _price(frame, message, rng, "-1")


@kind("number_not_finite", ALL)
def price_nan(frame: Frame, message: Message, rng: random.Random) -> None:
    """Write NaN or an infinity as the price."""
    _price(frame, message, rng, rng.choice(("NaN", "Infinity", "-inf")))


@kind("not_a_number", ALL)
def price_text(frame: Frame, message: Message, rng: random.Random) -> None:
    """Write something else as the price."""
    _price(frame, message, rng, rng.choice(("", "abc", "1_000", "0x10", "1,5", "٣", "1.2.3")))


@kind("number_too_large", ALL)
def price_huge(frame: Frame, message: Message, rng: random.Random) -> None:
    """Write a price beyond every integer that a float64 holds."""
    _price(frame, message, rng, "9" * rng.randrange(19, 24))


@kind("off_grid", ALL)
def price_off_grid(frame: Frame, message: Message, rng: random.Random) -> None:
    """Put a price between two ticks."""
    _price(frame, message, rng, "50000.0000001")


@kind("size_negative", ALL)
def size_below_zero(frame: Frame, message: Message, rng: random.Random) -> None:
    """Negate a size."""
    _size(frame, message, rng, "-0.5")


@kind("off_grid", ALL)
def size_off_grid(frame: Frame, message: Message, rng: random.Random) -> None:
    """Put a size between two lots."""
    _size(frame, message, rng, "0.00000000001")


@kind("size_not_positive", ("trade", "bbo"))
def size_zero(frame: Frame, message: Message, rng: random.Random) -> None:
    """Trade or quote nothing."""
    _size(frame, message, rng, "0.000")


@kind("level_repeated", DEPTH)
def level_twice(frame: Frame, message: Message, rng: random.Random) -> None:
    """Set one level twice in one message."""
    data = message["data"]
    side = data["b"] or data["a"]
    if not side:
        side = data["b"] = [["50000.0", "1"]]
    side.append([side[0][0], "7"])
    frame.write(message)


@kind("ids_reversed", DEPTH, after="gap")
def ids_turned(frame: Frame, message: Message, rng: random.Random) -> None:
    """Let the first id be greater than the last."""
    _change(frame, message, U=message["data"]["u"] + rng.randrange(1, 9))


@kind("crossed", BBO)
def quote_crossed(frame: Frame, message: Message, rng: random.Random) -> None:
    """Exchange bid and ask."""
    data = message["data"]
    _change(frame, message, b=data["a"], a=data["b"])


@kind("level_order", BOOK)
def book_unsorted(frame: Frame, message: Message, rng: random.Random) -> None:
    """Exchange two neighbouring levels of a snapshot."""
    side = message[rng.choice(("bids", "asks"))]
    place = rng.randrange(len(side) - 1)
    side[place], side[place + 1] = side[place + 1], side[place]
    frame.write(message)


@kind("crossed", BOOK)
def book_crossed(frame: Frame, message: Message, rng: random.Random) -> None:
    """Raise a snapshot's best bid to its best ask."""
    message["bids"][0][0] = message["asks"][0][0]
    frame.write(message)


@kind("empty_snapshot", BOOK)
def book_empty(frame: Frame, message: Message, rng: random.Random) -> None:
    """Send a snapshot without levels."""
    message["bids"], message["asks"] = [], []
    frame.write(message)


@kind("clock_step", ALL, KEPT)
def receive_clock_back(frame: Frame, message: Message, rng: random.Random) -> None:
    """Move the receive time back by seconds."""
    digits = len(frame.time)
    step = rng.randrange(600, 1_800) * 10 ** (digits - 10)
    frame.time = str(int(frame.time) - step).encode()


@kind("time_jump", ALL, KEPT)
def receive_clock_ahead(frame: Frame, message: Message, rng: random.Random) -> None:
    """Move this frame's receive time hours ahead."""
    step = rng.randrange(2, 48) * 3_600 * 10 ** (len(frame.time) - 10)
    frame.time = str(int(frame.time) + step).encode()


@kind("trade_gap", TRADE, KEPT, after="id_order")
def trade_id_far_ahead(frame: Frame, message: Message, rng: random.Random) -> None:
    """Let one trade id run far ahead."""
    _change(frame, message, t=message["data"]["t"] + rng.randrange(10, 10**9))


@kind("id_order", ("trade", "bbo"), KEPT, after="gap")
def id_far_behind(frame: Frame, message: Message, rng: random.Random) -> None:
    """Let one id run far back; the trade that it replaces is then missing."""
    name = "t" if frame.stream == "trade" else "u"
    _change(frame, message, **{name: message["data"][name] - rng.randrange(10**4, 10**6)})


@move(TIMED)
def frame_lost(
    frame: Frame, after: Frame, items: list[Frame], moves: list[Callable[[], None]]
) -> None:
    """Lose one frame: the next of its stream shows the hole."""
    moves.append(lambda: items.remove(frame))
    after.findings.add((after.stream, gap_rule(after.stream)))


@move(ALL)
def frame_repeated(
    frame: Frame, after: Frame, items: list[Frame], moves: list[Callable[[], None]]
) -> None:
    """Deliver one frame twice in a row."""
    copy = Frame(frame.time, frame.body, frame.stream, {(frame.stream, "id_repeat")})
    moves.append(lambda: items.insert(items.index(frame) + 1, copy))


def _venue_time(frame: Frame) -> int:
    data = frame.message()["data"]
    return data.get("T", data["E"])


@move(TIMED)
def frames_swapped(
    frame: Frame, after: Frame, items: list[Frame], moves: list[Callable[[], None]]
) -> None:
    """Deliver one frame after the next of its stream."""

    def swap() -> None:
        first, second = items.index(frame), items.index(after)
        items[first], items[second] = after, frame
        frame.time, after.time = after.time, frame.time

    moves.append(swap)
    if _venue_time(frame) < _venue_time(after):
        frame.findings.add((frame.stream, "out_of_order"))
    after.findings.add((after.stream, gap_rule(after.stream)))
    frame.findings.add((frame.stream, "id_order"))
