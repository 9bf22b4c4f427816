"""Plant known defects into clean frames, and say exactly what a screen must find.

A kind is a function of this file (or its neighbour) that damages one frame; `plant` chooses the
rows, applies the kinds and returns the damaged lines with the complete list of findings that the
damage must cause: (ordinal of the frame, stream, rule). Anything missing is a lost defect,
anything more is a false alarm. The answers come from the damage, never from the screen.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

# What a damaged frame still is: its stream and ids are readable, or they are not, or it is kept.
KEPT, REFUSED, UNKNOWN = "kept", "refused", "unknown"
_STREAMS = {"trade": "trade", "depth": "depth", "bookTicker": "bbo"}


@dataclass(eq=False)
class Frame:
    """One line of a capture being damaged: `time` is the receive time as text."""

    time: bytes
    body: bytes
    stream: str
    findings: set[tuple[str, str]] = field(default_factory=set)
    is_refused: bool = False

    def message(self) -> dict[str, Any]:
        """Return the decoded frame."""
        return json.loads(self.body)

    def write(self, message: dict[str, Any]) -> None:
        """Put a changed message in place."""
        self.body = json.dumps(message, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Kind:
    """One kind of defect: the streams it can hit, the rule it breaks, and the damage itself."""

    name: str
    rule: str
    streams: tuple[str, ...]
    fate: str
    damage: Callable[[Frame, dict[str, Any], random.Random], None]
    # A further rule that the next frame of the stream breaks; "gap": the hole in its ids, if any.
    after: str = ""


@dataclass(frozen=True)
class Planted:
    """The damaged lines, and everything that must be found in them."""

    lines: list[bytes]
    findings: set[tuple[int, str, str]]
    refused: set[int]  # the ordinals of the frames that must go to quarantine; all others are kept
    kinds: list[str]


KINDS: dict[str, Kind] = {}

TRADE, DEPTH, BBO = ("trade",), ("depth",), ("bbo",)
TIMED = ("trade", "depth")
ALL = ("trade", "depth", "bbo")
BOOK = ("snapshot",)


def kind(
    rule: str, streams: tuple[str, ...], fate: str = REFUSED, after: str = ""
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a kind of defect under its function's name; a second one refuses to load."""

    def register(damage: Callable[..., None]) -> Callable[..., None]:
        name = getattr(damage, "__name__", rule)
        if name in KINDS:
            raise ValueError(f"defect {name} is defined twice")
        KINDS[name] = Kind(name, rule, streams, fate, damage, after)
        return damage

    return register


def frames_of(lines: Iterable[bytes]) -> list[Frame]:
    """Return the lines of a clean combined-form capture, each with its stream."""
    frames = []
    for line in lines:
        time, _, body = line.strip().partition(b" ")
        message = json.loads(body)
        channel = message.get("stream", "").partition("@")[2].partition("@")[0]
        other = "snapshot" if "lastUpdateId" in message else "other"
        frames.append(Frame(time, body, _STREAMS.get(channel, other)))
    return frames


def plant(lines: Sequence[bytes], names: Sequence[str], seed: int) -> Planted:
    """Damage one random row per name; rows are far enough apart not to explain each other.

    A name for which no row is left is skipped; `kinds` of the result says what was planted.
    """
    import qf.testing.defect_kinds  # registers the kinds

    assert qf.testing.defect_kinds
    rng = random.Random(seed)
    frames = frames_of(lines)
    items: list[Frame] = list(frames)
    taken: set[int] = set()
    done: list[str] = []
    moves: list[Callable[[], None]] = []
    for name in names:
        kind = KINDS[name]
        place = _choose(frames, kind, taken, rng)
        if place is None:
            continue
        frame, next_frame = frames[place[0]], frames[place[1]]
        if name in MOVES:
            MOVES[name](frame, next_frame, items, moves)
        else:
            _damage(kind, frame, next_frame, rng)
        done.append(name)
    for move in moves:
        move()
    found = {
        (seq, stream, rule) for seq, item in enumerate(items) for stream, rule in item.findings
    }
    refused = {seq for seq, item in enumerate(items) if item.is_refused}
    return Planted([item.time + b" " + item.body for item in items], found, refused, done)


def _choose(
    frames: Sequence[Frame], kind: Kind, taken: set[int], rng: random.Random
) -> tuple[int, int] | None:
    """Return a free row and the next row of its stream; both and their neighbours become taken."""
    rows = [row for row, frame in enumerate(frames) if frame.stream in kind.streams]
    rng.shuffle(rows)
    for row in rows:
        same = [r for r in range(row + 1, len(frames)) if frames[r].stream == frames[row].stream]
        before = [r for r in range(row) if frames[r].stream == frames[row].stream]
        alone = frames[row].stream in BOOK
        if (not alone and (len(same) < 3 or len(before) < 2)) or not 2 <= row < len(frames) - 1:
            continue
        # The chain of a stream is disturbed from the row before to the second row after.
        span = {row - 1, row, row + 1, *before[-1:], *same[:3]}
        if span & taken:
            continue
        taken |= span
        return row, same[0] if same else row
    return None


def _damage(kind: Kind, frame: Frame, next_frame: Frame, rng: random.Random) -> None:
    message = frame.message()
    kind.damage(frame, message, rng)
    stream = "unreadable" if kind.fate == UNKNOWN else frame.stream
    frame.findings.add((stream, kind.rule))
    frame.is_refused = kind.fate != KEPT
    after = kind.after
    if after == "gap" or kind.fate == UNKNOWN:
        after = gap_rule(frame.stream) if frame.stream in TIMED else ""
    if after:
        next_frame.findings.add((next_frame.stream, after))


def gap_rule(stream: str) -> str:
    """Return the rule that names a hole in the ids of a stream."""
    return "trade_gap" if stream == "trade" else "id_gap"


MOVES: dict[str, Callable[[Frame, Frame, list[Frame], list[Callable[[], None]]], None]] = {}


def move(
    streams: tuple[str, ...],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a kind that loses, repeats or moves frames instead of changing one."""

    def register(change: Callable[..., None]) -> Callable[..., None]:
        name = getattr(change, "__name__", "")
        kind("", streams, KEPT)(change)
        MOVES[name] = change
        return change

    return register
