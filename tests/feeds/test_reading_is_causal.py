"""What is read depends on the past alone, and a reader can be saved and restored anywhere."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.captures import INSTRUMENTS, VENUES, needs_data, source
from feeds.test_blocks_and_ranges_cut_between_frames import INSTRUMENT, START, depth, trade
from qf.errors import RunError
from qf.feeds.record import Record
from qf.tape.ingest import Inspection
from qf.tape.payload import read_payload, write_payload
from qf.tape.read import MOST_WAITING, open_reader
from qf.tape.reference import HOUR_NS, REFERENCE_MOVES_AFTER, Reference
from qf.tape.source import Broken

SECOND = 10**9
SNAPSHOT = b'{"lastUpdateId":7,"bids":[["59999.00","1"]],"asks":[["60001.00","2"]]}'


def agg_trade(number, time):
    data = {
        "e": "aggTrade", "E": time // 10**6, "s": "BTCUSDT", "a": number, "p": "60000.00",
        "q": "0.5", "f": number, "l": number, "T": time // 10**6, "m": True,
    }  # fmt: skip
    return time, json.dumps({"stream": "btcusdt@aggTrade", "data": data}).encode()


def ticker(number, time):
    data = {"u": number, "s": "BTCUSDT", "b": "59999.00", "B": "1", "a": "60001.00", "A": "1"}
    return time, json.dumps({"stream": "btcusdt@bookTicker", "data": data}).encode()


def foreign(number, time):
    return time, trade(number, time)[1].replace(b"BTCUSDT", b"ETHUSDT").replace(b"btc", b"eth")


MAKERS = {
    "trade": trade,
    "agg_trade": agg_trade,
    "ticker": ticker,
    "depth": lambda number, time: depth(number, number + 1, time, number % 4),
    "foreign": foreign,
    "snapshot": lambda number, time: (time, SNAPSHOT),
    "garbage": lambda number, time: (time, b"{not json %d" % number),
    "negative": lambda number, time: trade(number, time, "-1"),
    "broken": lambda number, time: (time, Broken("truncated", b"rest")),
}
JUMPS = (0, 0, 0, 0, 0, 0, -SECOND, 2 * HOUR_NS, -2 * HOUR_NS, 30 * HOUR_NS)
arrivals = st.lists(
    st.tuples(
        st.sampled_from(sorted(MAKERS)),
        st.integers(0, 2 * SECOND),  # receive time moves on
        st.sampled_from(JUMPS),  # this receive time is wrong
        st.sampled_from(JUMPS),  # the venue's time is wrong
    ),
    max_size=40,
)


def made(steps, recorder_off):
    """Return arrivals: each frame's venue time, and a receive time that is `recorder_off`."""
    time, found = START, []
    for number, (kind, move, receive_jump, venue_jump) in enumerate(steps, 1):
        time += move
        _, payload = MAKERS[kind](number, time + venue_jump)
        found.append((time + recorder_off + receive_jump, payload, ""))
    return found


def reader_of(sink, trades=None, instrument=INSTRUMENT):
    return open_reader(instrument, sink, trades)


def rows_of(parts):
    names = list(parts[0]) if parts else []
    return {name: np.concatenate([part[name] for part in parts]).tolist() for name in names}


def everything(reader, sink, parts):
    return rows_of(parts), asdict(reader.tally), asdict(sink), reader.trades


def read_at_once(items, end=True, instrument=INSTRUMENT):
    sink = Inspection()
    reader = reader_of(sink, instrument=instrument)
    for item in items:
        reader.feed(item)
    if end:
        reader.end()
    return everything(reader, sink, [reader.columns.take()])


off = st.sampled_from([0, 1_273_000_000, -5 * HOUR_NS])


@given(arrivals, off, st.sets(st.integers(0, 40)), st.booleans())
@settings(max_examples=200)
def test_a_reader_goes_on_from_its_state_as_if_it_had_never_stopped(steps, off, cuts, take):
    items = made(steps, off)
    sink, parts = Inspection(), []
    reader = reader_of(sink)
    for place, item in enumerate(items):
        if place in cuts:
            if take:
                parts.append(reader.columns.take())
            text = json.dumps(reader.state())
            reader = reader_of(sink)
            reader.restore(json.loads(text))
        reader.feed(item)
    reader.end()
    parts.append(reader.columns.take())
    assert everything(reader, sink, parts) == read_at_once(items)


@given(arrivals, off, st.integers(0, 40))
@settings(max_examples=200)
def test_what_was_read_stays_whatever_comes_after(steps, off, cut):
    items = made(steps, off)
    rows, _, found, trades = read_at_once(items[:cut], end=False)
    whole_rows, _, whole, whole_trades = read_at_once(items)
    for name, column in rows.items():
        assert whole_rows[name][: len(column)] == column
    for name in ("findings", "refused"):
        assert whole[name][: len(found[name])] == found[name]
    assert trades in (None, whole_trades)


@given(arrivals, st.integers(0, 40))
@settings(max_examples=50)
def test_a_recorder_that_is_right_makes_no_frame_wait(steps, cut):
    items = made([(kind, move, 0, 0) for kind, move, _, _ in steps], 0)[:cut]
    assert read_at_once(items, end=False) == read_at_once(items)


def ids(numbers):
    return [(*trade(number, START + place * SECOND), "") for place, number in enumerate(numbers)]


@pytest.mark.parametrize(
    "items",
    [
        ids([5, 6, 2, 7, 8, 99, 9, 10]),  # both continuations of a broken chain are remembered
        made([("trade", SECOND, 0, 0)] * 2 + [("trade", SECOND, 0, 3 * HOUR_NS)] * 12, 0),
    ],
)
def test_a_reader_can_be_saved_in_the_middle_of_an_anomaly(items):
    for cut in range(len(items)):
        sink = Inspection()
        first, second = reader_of(sink), reader_of(sink)
        for item in items[:cut]:
            first.feed(item)
        second.restore(json.loads(json.dumps(first.state())))
        for item in items[cut:]:
            second.feed(item)
        second.end()
        assert everything(second, sink, [second.columns.take()]) == read_at_once(items)


@needs_data
@pytest.mark.parametrize("venue", VENUES)
def test_a_real_capture_can_be_cut_anywhere(venue):
    instrument, rng = INSTRUMENTS[venue], np.random.default_rng(5)
    items = [item for _, item in zip(range(6_000), source(venue).arrivals(), strict=False)]
    cuts = set(rng.integers(0, len(items), 25).tolist())
    sink, parts = Inspection(), []
    reader = reader_of(sink, instrument=instrument)
    for place, item in enumerate(items):
        if place in cuts:
            state = json.loads(json.dumps(reader.state()))
            reader = reader_of(sink, instrument=instrument)
            reader.restore(state)
        if place % 700 == 0:
            parts.append(reader.columns.take())
        reader.feed(item)
    reader.end()
    parts.append(reader.columns.take())
    assert everything(reader, sink, parts) == read_at_once(items, instrument=instrument)


def test_a_state_is_small_whatever_was_read():
    items = made([("garbage", SECOND, 0, 0), ("trade", SECOND, 0, 9 * HOUR_NS)] * 3_000, 0)
    reader = reader_of(Inspection())
    for item in items:
        reader.feed(item)
    reader.columns.take()
    assert len(json.dumps(reader.state())) < 2_000


def test_a_first_frame_in_doubt_holds_back_no_more_than_a_bound():
    items = made([("trade", SECOND, 0, 9 * HOUR_NS)] + [("ticker", SECOND, 0, 0)] * 3_000, 0)
    sink = Inspection()
    reader = reader_of(sink)
    for item in items[: MOST_WAITING - 1]:
        reader.feed(item)
    assert reader.tally.frames == 0
    reader.feed(items[MOST_WAITING - 1])
    assert reader.tally.frames == MOST_WAITING
    assert sink.findings == []


def test_a_wrong_first_frame_is_refused_and_a_recorder_hours_off_is_believed():
    wrong_first = [("trade", SECOND, 0, 9 * HOUR_NS), *[("trade", SECOND, 0, 0)] * 5]
    assert read_at_once(made(wrong_first, 0))[2]["refused"] == [(0, "trade", ("time_jump",))]
    assert read_at_once(made(wrong_first, -5 * HOUR_NS))[2]["refused"] == [
        (0, "trade", ("time_jump",))
    ]
    right = [("trade", SECOND, 0, 0)] * 5
    assert read_at_once(made(right, -5 * HOUR_NS))[2]["findings"] == []
    assert read_at_once(made(right[:1], -5 * HOUR_NS))[1]["frames"] == 1


def test_strangers_must_agree_with_each_other_to_be_believed():
    reference = Reference(timed=True)
    assert reference.settle(0)
    wild = [reference.far(START + i * 5 * HOUR_NS, START, START) for i in range(1, 40)]
    assert all(wild)
    agreed = [reference.far(START - 2 * HOUR_NS, START, START) for _ in range(10)]
    assert agreed == [True] * (REFERENCE_MOVES_AFTER - 1) + [False] * 3


def test_the_first_trade_decides_the_channel_where_none_is_declared():
    both = made([("agg_trade", SECOND, 0, 0), ("trade", SECOND, 0, 0)] * 3, 0)
    _, tally, _, trades = read_at_once(both)
    assert trades == "agg_trade"
    assert tally["accounts"]["trade"] == {"received": 3, "quarantined": 0, "ignored": 3}
    sink = Inspection()
    declared = reader_of(sink, "trade")
    for item in both:
        declared.feed(item)
    assert declared.tally.accounts["agg_trade"]["ignored"] == 3


def test_a_state_of_another_reader_is_refused():
    state = reader_of(Inspection()).state()
    with pytest.raises(RunError, match=r"QF332.*undeclared.*agg_trade"):
        reader_of(Inspection(), "agg_trade").restore(state)
    with pytest.raises(RunError, match="QF332"):
        reader_of(Inspection(), instrument=INSTRUMENTS["binance_usdm"]).restore(state)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x00\xff frame",
        Broken("truncated", b"\xff"),
        Record("trade", "X", 5, 5, 1, 1, bids=(("1.5", "2"),)),
        Record("mark", "X", values=("1.5", "", 7), rules=("id_gap",)),
    ],
)
def test_what_waits_is_written_and_read_back_exactly(payload):
    assert read_payload(json.loads(json.dumps(write_payload(payload)))) == payload


def test_the_arrays_of_an_archive_are_written_and_read_back_exactly():
    column = np.array([0.1, 1 / 3, 1e-300])
    record = Record("snapshot", "X", bids=(column, column * 3), asks=(column, column))
    again = read_payload(json.loads(json.dumps(write_payload(record))))
    assert again._replace(bids=(), asks=()) == record._replace(bids=(), asks=())
    for name in ("bids", "asks"):
        for one, other in zip(getattr(again, name), getattr(record, name), strict=True):
            assert one.tobytes() == other.tobytes()
