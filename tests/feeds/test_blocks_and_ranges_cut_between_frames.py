"""How a tape is cut and merged never changes what is on it."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.errors import QuantflowError
from qf.schema import TAPE
from qf.tape.ingest import ingest
from qf.tape.instruments import Instrument
from qf.tape.source import FrameSource

NAMES = [field.name for field in TAPE]
INSTRUMENT = Instrument("binance_spot", "BTCUSDT", "BTC", "USDT", "spot", "0.01", "0.001")
START = 1_723_161_253_000_000_000


def trade(number, time, price="60000.00"):
    data = {
        "e": "trade", "E": time // 10**6, "s": "BTCUSDT", "t": number, "p": price,
        "q": "0.5", "T": time // 10**6, "m": number % 2 == 0, "M": True,
    }  # fmt: skip
    return time, json.dumps({"stream": "btcusdt@trade", "data": data}).encode()


def depth(first, last, time, levels):
    side = [[f"{59_999 - i}.00", "1.5"] for i in range(levels)]
    data = {
        "e": "depthUpdate", "E": time // 10**6, "s": "BTCUSDT", "U": first, "u": last,
        "b": side, "a": [],
    }  # fmt: skip
    return time, json.dumps({"stream": "btcusdt@depth@100ms", "data": data}).encode()


def frames(count):
    made = []
    for i in range(count):
        # Two frames share each receive time, so ranges must cut between times, not inside one.
        time = START + (i // 2) * 1_000_000
        made.append(depth(i + 1, i + 1, time, i % 7) if i % 3 else trade(i + 1, time))
    return made


def made_source(name, rows):
    settings = {"rows": [[time, frame.decode()] for time, frame in rows]}
    return FrameSource(name, "binance_spot", settings, lambda: iter(rows))


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return ingest([made_source("one", frames(400))], INSTRUMENT, tmp_path_factory.mktemp("tape"))


def joined(blocks):
    parts = list(blocks)
    return {name: np.concatenate([part[name] for part in parts]) for name in NAMES}


@given(rows=st.integers(1, 3_000))
@settings(max_examples=25)
def test_any_block_size_gives_the_same_rows(tape, rows):
    whole = joined(tape.blocks(tape.rows))
    parts = list(tape.blocks(rows))
    assert {len(part["seq"]) for part in parts[:-1]} <= {rows}
    again = joined(parts)
    assert all((whole[name] == again[name]).all() for name in NAMES)
    assert all(again[name].dtype == np.int64 for name in NAMES)


@given(low=st.integers(-3, 203), length=st.integers(0, 210))
@settings(max_examples=40)
def test_a_range_holds_exactly_the_frames_received_in_it(tape, low, length):
    start, end = START + low * 1_000_000, START + (low + length) * 1_000_000
    whole = joined(tape.blocks(tape.rows))
    inside = (whole["processed_time"] >= start) & (whole["processed_time"] < end)
    parts = list(tape.blocks(17, start, end))
    if not inside.any():
        assert parts == []
        return
    cut = joined(parts)
    assert all((cut[name] == whole[name][inside]).all() for name in NAMES)
    assert cut["last_row"][-1] == 1


def test_sources_merge_by_time_then_by_their_order(tmp_path):
    everything = frames(300)
    first = [row for i, row in enumerate(everything) if i % 3 == 0]
    second = [row for i, row in enumerate(everything) if i % 3]
    tape = ingest([made_source("a", first), made_source("b", second)], INSTRUMENT, tmp_path)
    ordered = sorted(
        [(time, 0, i, frame) for i, (time, frame) in enumerate(first)]
        + [(time, 1, i, frame) for i, (time, frame) in enumerate(second)]
    )
    expected = made_source("c", [(time, frame) for time, _, _, frame in ordered])
    other = ingest([expected], INSTRUMENT, tmp_path)
    left, right = joined(tape.blocks(1000)), joined(other.blocks(1000))
    assert tape.key != other.key
    assert all((left[name] == right[name]).all() for name in NAMES)


def test_sources_of_two_venues_are_refused(tmp_path):
    other = FrameSource("other", "binance_usdm", {}, lambda: iter(()))
    with pytest.raises(QuantflowError, match="do not fit together"):
        ingest([made_source("one", frames(3)), other], INSTRUMENT, tmp_path)


def test_an_instrument_of_another_venue_is_refused(tmp_path):
    other = FrameSource("other", "binance_usdm", {}, lambda: iter(()))
    with pytest.raises(QuantflowError, match="is of binance_spot"):
        ingest([other], INSTRUMENT, tmp_path)


def test_an_empty_tape_is_a_tape(tmp_path):
    tape = ingest([made_source("none", [])], INSTRUMENT, tmp_path)
    assert (tape.rows, tape.frames, tape.accounts) == (0, 0, {})
    assert list(tape.blocks(10)) == []
    assert list(tape.table("trades")) == []


def test_an_unknown_table_names_the_known_ones(tape):
    with pytest.raises(QuantflowError, match="no table") as caught:
        list(tape.table("trade"))
    assert "trades" in str(caught.value)
