"""Whatever bytes arrive, a mapper returns records or refuses, and ingest goes on and counts."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.captures import INSTRUMENTS
from qf.feeds.record import MAX_FRAME_BYTES, STREAMS, Quarantine, Record
from qf.feeds.venue import find_venue, venues
from qf.tape.ingest import inspect
from qf.tape.screen import CONTENT, ORDER, READING, RULES
from qf.tape.source import FrameSource

HERE = Path(__file__).parent
TIME = 1_723_161_253_000_000_000
FRAMES = {
    name: (HERE / name / "frames.jsonl").read_bytes().splitlines() for name in sorted(venues())
}
NASTY = (
    b"", b"null", b"0", b'"x"', b"[]", b"{}", b"\xff\xfe", b"\x00" * 50, b"{" * 5_000,
    b"[" * 200_000, b'{"a":' * 100_000, b'{"stream":"a@trade","data":' + b"[" * 100_000,
    b'{"stream":"' + b"x" * 100_000 + b'"}', b'{"stream":null,"data":null}',
    b'{"stream":"@","data":{}}', b'{"stream":"@trade","data":{}}', b'{"e":"trade"}',
    b'{"stream":"btcusdt@trade","data":"x"}', b'{"lastUpdateId":1}', b'{"A":1}',
    b'{"e":5}', b'{"stream":"b@trade","data":{"E":1e400}}', b'{"u":' + b"9" * 5_000 + b"}",
    '{"stream":"ß@trade","data":{}}'.encode(), b'{"stream":"b@trade","data":{"s":"\\ud800"}}',
)  # fmt: skip


def accepted(venue, frame):
    """Return the records, or the rules; anything else a mapper does is a failure here."""
    try:
        records = find_venue(venue).parse(frame, TIME)
    except Quarantine as bad:
        assert bad.rules and set(bad.rules) <= set(READING) and bad.stream in STREAMS
        return bad.rules
    assert all(isinstance(record, Record) and record.stream in STREAMS for record in records)
    return records


@pytest.mark.parametrize("venue", sorted(FRAMES))
@given(frame=st.binary(max_size=300))
def test_random_bytes(venue, frame):
    assert accepted(venue, frame)


@pytest.mark.parametrize("venue", sorted(FRAMES))
@pytest.mark.parametrize("frame", NASTY, ids=range(len(NASTY)))
def test_nasty_frames(venue, frame):
    assert accepted(venue, frame)


@pytest.mark.parametrize("venue", sorted(FRAMES))
def test_an_oversized_frame_is_refused_before_it_is_read(venue):
    frame = b'{"stream":"' + b"x" * MAX_FRAME_BYTES
    assert accepted(venue, frame) == ("too_large",)


def _values():
    leaf = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**80), 2**80), st.floats(), st.text(max_size=9),
        st.sampled_from(["NaN", "-1", "1e400", "0", "9" * 40, "0.0000000000001", "-0.0"]),
    )  # fmt: skip
    return st.recursive(leaf, lambda inner: st.lists(inner, max_size=3), max_leaves=6)


@given(data=st.data())
@settings(max_examples=400)
def test_frames_with_any_field_replaced_or_lost(data):
    venue = data.draw(st.sampled_from(("binance_spot", "binance_usdm", "binance_coinm")))
    good = [frame for frame in FRAMES[venue] if frame.startswith(b'{"') and b"NaN" not in frame]
    message = json.loads(data.draw(st.sampled_from([f for f in good if f.endswith(b"}")])))
    target = message.get("data", message)
    name = data.draw(st.sampled_from(sorted(target) or ["x"]))
    if data.draw(st.booleans()):
        target[name] = data.draw(_values())
    else:
        target.pop(name, None)
    frame = json.dumps(message).encode()
    assert accepted(venue, frame)
    _ingested(venue, [frame])


@given(data=st.data())
@settings(max_examples=200)
def test_frames_with_any_bytes_changed(data):
    venue = data.draw(st.sampled_from(sorted(INSTRUMENTS)))
    frame = bytearray(data.draw(st.sampled_from(FRAMES[venue])))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    assert accepted(venue, bytes(frame))
    _ingested(venue, [bytes(frame)])


def _ingested(venue, frames):
    rows = [(TIME + i, frame) for i, frame in enumerate(frames)]
    source = FrameSource("hostile", venue, {}, lambda: iter(rows))
    found = inspect([source], INSTRUMENTS[venue])
    assert {rule for _, _, rule in found.findings} <= set(RULES)
    for account in found.accounts.values():
        left = account["received"] - account["quarantined"] - account["ignored"]
        assert left >= 0
    assert sum(account["received"] for account in found.accounts.values()) == found.frames
    assert sum(a["quarantined"] for a in found.accounts.values()) == len(found.refused)
    return found


@pytest.mark.parametrize("venue", sorted(INSTRUMENTS))
def test_a_storm_of_bad_frames_is_counted_frame_by_frame(venue):
    rng = random.Random(5)
    frames = [rng.choice((*NASTY, *FRAMES[venue])) for _ in range(300)]
    found = _ingested(venue, frames)
    assert found.refused


def test_rules_are_in_one_group_each_and_explained():
    groups = (READING, CONTENT, ORDER)
    assert sum(map(len, groups)) == len(RULES)
    assert all(len(text) > 10 for text in RULES.values())
