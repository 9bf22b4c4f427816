"""Frames with anything done to them: a mapper quarantines or reads, a first look never raises.

The suite takes some thousands a mapper, QF_LONG=1 a million.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from qf.feeds.record import Quarantine
from qf.feeds.venue import find_venue, venues

ROOT = Path(__file__).resolve().parents[1] / "feeds"
FRAMES = 1_000_000 if os.environ.get("QF_LONG") == "1" else 6_000
STREAMED = sorted(name for name, mapper in venues().items() if hasattr(mapper, "LIVE"))
NOW = 1_723_161_256_000_000_000
WORDS = (
    b"null", b"-1", b"1e999", b"NaN", b"9223372036854775808", b"[]", b"{}", b'""', b"true",
    b"\x00", b"\xff\xfe", b"[" * 300, b'{"a":' * 300, b"0" * 400, b'"' + b"9" * 400 + b'"',
)  # fmt: skip


def flip(chance, frame, others):
    at = chance.randrange(len(frame))
    return frame[:at] + bytes([chance.randrange(256)]) + frame[at + 1 :]


def cut(chance, frame, others):
    return frame[: chance.randrange(len(frame))]


def drop(chance, frame, others):
    at = chance.randrange(len(frame))
    return frame[:at] + frame[at + chance.randrange(1, 20) :]


def put(chance, frame, others):
    at = chance.randrange(len(frame))
    return frame[:at] + chance.choice(WORDS) + frame[at:]


def replace(chance, frame, others):
    """Put something else where a value stands."""
    colons = [at for at, byte in enumerate(frame) if byte in b":,["]
    if not colons:
        return put(chance, frame, others)
    at = chance.choice(colons) + 1
    end = min(
        (frame.find(byte, at) for byte in (b",", b"}", b"]") if byte in frame[at:]), default=at
    )
    return frame[:at] + chance.choice(WORDS) + frame[end:]


def splice(chance, frame, others):
    other = chance.choice(others)
    return frame[: chance.randrange(len(frame))] + other[chance.randrange(len(other)) :]


def repeat(chance, frame, others):
    at = chance.randrange(len(frame))
    return frame[:at] + frame[at : at + 30] * chance.randrange(2, 40) + frame[at:]


MUTATIONS = (flip, flip, cut, drop, put, replace, replace, splice, repeat)


@pytest.mark.parametrize("venue", STREAMED)
def test_nothing_but_a_quarantine_escapes_a_mapper(venue):
    mapper = find_venue(venue)
    frames = [line for line in (ROOT / venue / "frames.jsonl").read_bytes().splitlines() if line]
    chance, refused = random.Random(venue), 0
    for _ in range(FRAMES):
        frame = chance.choice(frames)
        for _ in range(chance.randrange(1, 4)):
            frame = chance.choice(MUTATIONS)(chance, frame, frames) or b"{"
        mapper.LIVE.glance(frame)
        mapper.LIVE.split_trades(frame)
        try:
            mapper.parse(frame, NOW)
        except Quarantine as bad:
            refused += 1
            assert bad.rules
    assert FRAMES // 4 < refused <= FRAMES
