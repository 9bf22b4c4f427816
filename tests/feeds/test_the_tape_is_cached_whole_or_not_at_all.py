"""The cache: found again by content, made anew when anything changed, never half there."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from feeds.test_captures_are_read_or_refused import INSTRUMENT, LINES, source
from qf.errors import RunError
from qf.tape import draft, manifest
from qf.tape.ingest import ingest
from qf.tape.instruments import Instrument


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(b"\n".join(LINES[:300]))
    return path


def test_a_second_ingest_is_a_cache_hit_with_the_same_tape(tmp_path, capture):
    first = ingest([source(capture)], INSTRUMENT, tmp_path / "cache")
    again = ingest([source(capture)], INSTRUMENT, tmp_path / "cache")
    assert (first.cached, again.cached) == (False, True)
    assert replace(again, cached=False) == first


def test_the_place_and_time_of_the_files_do_not_matter(tmp_path, capture):
    first = ingest([source(capture)], INSTRUMENT, tmp_path / "cache")
    moved = tmp_path / "elsewhere"
    shutil.copy(capture, moved)
    assert ingest([source(moved)], INSTRUMENT, tmp_path / "cache").key == first.key


def test_a_change_of_anything_that_decides_is_a_new_tape(tmp_path, capture, monkeypatch):
    keys = {ingest([source(capture)], INSTRUMENT, tmp_path / "cache").key}
    for settings in ({"truncated": "accept"}, {"trades": "agg_trade"}):
        tape = ingest([source(capture, **settings)], INSTRUMENT, tmp_path / "cache")
        assert not tape.cached
        keys.add(tape.key)
    other = Instrument("binance_spot", "BTCUSDT", "BTC", "USDT", "spot", "0.001", "0.001")
    keys.add(ingest([source(capture)], other, tmp_path / "cache").key)
    capture.write_bytes(b"\n".join(LINES[:301]))
    keys.add(ingest([source(capture)], INSTRUMENT, tmp_path / "cache").key)
    monkeypatch.setattr(manifest, "code_hash", lambda: "another version of the code")
    keys.add(ingest([source(capture)], INSTRUMENT, tmp_path / "cache").key)
    assert len(keys) == 6


@pytest.mark.parametrize("moment", range(1, 8))
def test_a_failure_at_any_moment_leaves_nothing_that_is_read(
    tmp_path, capture, monkeypatch, moment
):
    cache = tmp_path / "cache"
    real, done = draft._sync, []

    def failing(path):
        done.append(path)
        if len(done) == moment:
            raise OSError(28, "No space left on device")
        real(path)

    monkeypatch.setattr(draft, "_sync", failing)
    with pytest.raises(RunError, match="No space left"):
        ingest([source(capture)], INSTRUMENT, cache)
    assert list(cache.iterdir()) == []
    monkeypatch.setattr(draft, "_sync", real)
    assert ingest([source(capture)], INSTRUMENT, cache).frames == 300


@pytest.mark.parametrize("name", ["manifest.json", "tape.parquet", "findings.parquet"])
def test_a_damaged_tape_is_made_anew(tmp_path, capture, name):
    cache = tmp_path / "cache"
    first = ingest([source(capture)], INSTRUMENT, cache)
    (first.folder / name).unlink()
    again = ingest([source(capture)], INSTRUMENT, cache)
    assert not again.cached and again.manifest == first.manifest
    if name != "findings.parquet":
        (first.folder / name).write_bytes(b"{")
        assert not ingest([source(capture)], INSTRUMENT, cache).cached


def test_the_loser_of_a_race_takes_the_winners_tape(tmp_path, capture, monkeypatch):
    cache = tmp_path / "cache"
    first = ingest([source(capture)], INSTRUMENT, cache)
    monkeypatch.setattr("qf.tape.ingest.reuse", lambda *_: None)  # as if it came in between
    second = ingest([source(capture)], INSTRUMENT, cache)
    assert second.manifest == first.manifest
    assert [path.name for path in cache.iterdir()] == [first.key]


def test_the_manifest_says_what_the_tape_was_made_from(tmp_path, capture):
    tape = ingest([source(capture)], INSTRUMENT, tmp_path / "cache")
    identity = json.loads((tape.folder / "manifest.json").read_text())["identity"]
    assert identity["instrument"]["tick_size"] == "0.01"
    assert identity["sources"][0]["files"][0] == tape.manifest["identity"]["sources"][0]["files"][0]
    assert str(tmp_path) not in json.dumps(identity)  # a key must not depend on the place


def test_an_unwritable_cache_is_a_clear_error(tmp_path, capture):
    (tmp_path / "cache").write_text("a file stands where the folder should be")
    with pytest.raises(RunError, match="cannot be written"):
        ingest([source(capture)], INSTRUMENT, tmp_path / "cache")


@pytest.mark.parametrize("part", range(1, 8))
def test_a_flipped_bit_in_a_cached_tape_is_an_error_and_never_a_number(tmp_path, capture, part):
    tape = ingest([source(capture)], INSTRUMENT, tmp_path / "cache")
    whole = list(tape.blocks(1_000))
    file = tape.folder / "tape.parquet"
    stored = bytearray(file.read_bytes())
    # A page's header has no checksum: what is read then is refused, or it is what was written.
    for place in range(part * len(stored) // 8, part * len(stored) // 8 + 40):
        stored[place] ^= 16
        file.write_bytes(stored)
        stored[place] ^= 16
        try:
            read = list(tape.blocks(1_000))
        except RunError as refused:
            assert refused.code == "QF331" and "--force-refresh" in str(refused)
            continue
        assert len(read) == len(whole)
        for one, other in zip(read, whole, strict=True):
            assert all(np.array_equal(one[name], other[name]) for name in one)
