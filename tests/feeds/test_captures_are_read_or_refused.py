"""Capture files: forms, units, breaks. What cannot be read says where and what to do."""

import gzip
import json
import zlib

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.errors import DefinitionError, QuantflowError, RunError
from qf.feeds.record import MAX_FRAME_BYTES
from qf.schema import BAD
from qf.tape.capture import CaptureSource, read_lines
from qf.tape.ingest import ingest, inspect
from qf.tape.instruments import Instrument, propose
from qf.tape.source import Broken, find_files

INSTRUMENT = Instrument("binance_spot", "BTCUSDT", "BTC", "USDT", "spot", "0.01", "0.001")
TIME = 1_723_161_253_000_000_000


def line(number, time=None):
    event = TIME // 10**6 + number
    data = {
        "e": "trade", "E": event, "s": "BTCUSDT", "t": number, "p": "60000.01",
        "q": "0.5", "T": event, "m": True, "M": True,
    }  # fmt: skip
    stamp = TIME + number * 1_000_000 if time is None else time
    return f"{stamp} ".encode() + json.dumps({"stream": "btcusdt@trade", "data": data}).encode()


LINES = [line(number) for number in range(1, 2_001)]
TEXT = b"\n".join(LINES) + b"\n"


def noisy(count, seed=0):
    """Return lines that do not compress well, so that a cut falls inside them."""
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 2**60, (count, 6)).tolist()
    return b"".join(
        f"{TIME + i} ".encode() + json.dumps({"x": row}).encode() + b"\n"
        for i, row in enumerate(words)
    )


def source(*paths, unit="ns", **settings):
    return CaptureSource("capture", "binance_spot", tuple(paths), unit, **settings)


def frames(*paths, **settings):
    return [item[1] for item in source(*paths, **settings).arrivals()]


@pytest.mark.parametrize(
    "pack",
    [
        lambda text: text,
        gzip.compress,
        lambda text: gzip.compress(text[:99_000]) + gzip.compress(text[99_000:]),
        lambda text: gzip.compress(text) + b"\0" * 512,
        zstandard.compress,
        lambda text: zstandard.compress(text[:77_777]) + zstandard.compress(text[77_777:]),
    ],
)
def test_every_form_gives_the_same_frames(tmp_path, pack):
    path = tmp_path / "capture"
    path.write_bytes(pack(TEXT))
    expected = [text.partition(b" ")[2] for text in LINES]
    assert frames(path) == expected
    path.write_bytes(pack(TEXT.rstrip(b"\n")))
    assert frames(path) == expected


def test_files_continue_each_other_in_name_order(tmp_path):
    for name, part in (("b_2", LINES[700:]), ("b_1", LINES[:700])):
        (tmp_path / name).write_bytes(gzip.compress(b"\n".join(part)))
    paths = find_files("b_*", tmp_path)
    assert [path.name for path in paths] == ["b_1", "b_2"]
    assert frames(*paths) == [text.partition(b" ")[2] for text in LINES]
    assert inspect([source(*paths)], INSTRUMENT).findings == []


def test_a_pattern_without_files_is_an_error(tmp_path):
    for pattern in ("no_*.gz", "none.gz", str(tmp_path / "x*")):
        with pytest.raises(DefinitionError, match="no file matches") as caught:
            find_files(pattern, tmp_path)
        assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("unit", "stamp", "right"),
    [
        ("ns", TIME // 1_000, "us"),
        ("ns", TIME // 10**6, "ms"),
        ("us", TIME, "ns"),
        ("ms", TIME // 10**9, "s"),
        ("s", TIME // 10**6, "ms"),
    ],
)
def test_a_wrong_unit_names_the_right_one(tmp_path, unit, stamp, right):
    path = tmp_path / "capture"
    path.write_bytes(line(1, stamp) + b"\n")
    with pytest.raises(DefinitionError) as caught:
        frames(path, unit=unit)
    text = str(caught.value)
    assert f"time_unit: {right}" in text and "QF314" in text
    assert "2024-08-08T23:54:13" in text and f"{path}:1" in text


@pytest.mark.parametrize("first", [b"hello world\n", b'{"e":"trade"}\n', b"12a {}\n", b" {}\n"])
def test_a_file_that_is_no_capture_is_refused(tmp_path, first):
    path = tmp_path / "capture"
    path.write_bytes(first + TEXT)
    with pytest.raises(DefinitionError, match="receive time"):
        frames(path)


@pytest.mark.parametrize("form", ["gzip", "zstd"])
@given(data=st.data())
@settings(max_examples=20)
def test_a_truncated_file_says_where_it_ends_and_what_was_whole(tmp_path_factory, form, data):
    text = noisy(3_000)
    packed = gzip.compress(text) if form == "gzip" else zstandard.compress(text)
    cut = data.draw(st.integers(200, len(packed) - 1))
    path = tmp_path_factory.mktemp("cut") / "capture"
    path.write_bytes(packed[:cut])
    whole = _unpacked(packed[:cut], form).count(b"\n")
    with pytest.raises(RunError) as caught:
        list(read_lines(path, accept=False))
    assert f"at byte {cut}, after {whole} whole frames" in caught.value.sentence
    assert "truncated: accept" in caught.value.hint
    kept = list(read_lines(path, accept=True))
    assert kept[:-1] == text.split(b"\n")[:whole]
    assert isinstance(kept[-1], Broken) and kept[-1].rule == "truncated"


def _unpacked(packed, form):
    if form == "gzip":
        return zlib.decompressobj(31).decompress(packed)
    return zstandard.ZstdDecompressor().decompressobj().decompress(packed)


def test_a_damaged_file_is_not_taken_for_a_truncated_one(tmp_path):
    packed = bytearray(gzip.compress(noisy(3_000)))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "capture"
    path.write_bytes(packed)
    with pytest.raises(RunError, match=r"damaged.*breaks at byte \d+, after \d+ whole"):
        list(read_lines(path, accept=False))
    assert isinstance(list(read_lines(path, accept=True))[-1], Broken)


def test_accepting_a_truncated_file_marks_the_gap_and_reads_on(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(gzip.compress(b"\n".join(LINES[:1000]) + b"\n")[:-20])
    second.write_bytes(gzip.compress(b"\n".join(LINES[1000:])))
    with pytest.raises(RunError, match="after"):
        ingest([source(first, second)], INSTRUMENT, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []  # nothing half-written
    tape = ingest([source(first, second, truncated="accept")], INSTRUMENT, tmp_path / "cache")
    (block,) = tape.blocks(tape.rows)
    (bad,) = np.flatnonzero(block["kind"] == BAD)
    assert block["first_id"][bad] == 0  # it may have been anything
    assert tape.findings_by_rule()["truncated"] == 1
    assert tape.accounts["unreadable"]["quarantined"] == 1
    assert block["seq"][-1] == tape.frames - 1


def test_a_line_without_end_costs_no_memory(tmp_path):
    path = tmp_path / "capture"
    long = b"x" * (3 * MAX_FRAME_BYTES)
    path.write_bytes(LINES[0] + b"\n" + f"{TIME} ".encode() + long + b"\n" + LINES[1] + b"\n")
    found = list(read_lines(path, accept=False))
    assert [found[0], found[2]] == LINES[:2]
    assert isinstance(found[1], Broken) and len(found[1].frame) <= 4096


@pytest.mark.parametrize("middle", [b"x123 {}", b"12 {}", b"9" * 30 + b" {}", b"-5 {}", b"nothing"])
def test_a_line_without_receive_time_is_quarantined_in_its_place(tmp_path, middle):
    path = tmp_path / "capture"
    path.write_bytes(b"\n".join((*LINES[:3], middle, b"", *LINES[3:6])))
    found = inspect([source(path)], INSTRUMENT)
    assert found.findings == [(3, "unreadable", "receive_time_unreadable")]
    assert (found.frames, found.accounts["trade"]["received"]) == (7, 6)


def test_windows_line_ends_and_blank_lines_are_no_defect(tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(b"\r\n".join((*LINES[:5], b"", b"")))
    found = inspect([source(path)], INSTRUMENT)
    assert (found.findings, found.frames) == ([], 5)


def test_an_empty_file_is_an_empty_tape(tmp_path):
    path = tmp_path / "capture"
    for content in (b"", gzip.compress(b"")):
        path.write_bytes(content)
        assert frames(path) == []


def test_proposed_steps_are_the_finest_decimals_of_the_capture(tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(TEXT)
    found = propose(source(path), "BTCUSDT")
    assert found == Instrument("binance_spot", "BTCUSDT", "BTC", "USDT", "spot", "0.01", "0.1")
    with pytest.raises(QuantflowError, match="no frame of ETHUSDT"):
        propose(source(path), "ETHUSDT")
