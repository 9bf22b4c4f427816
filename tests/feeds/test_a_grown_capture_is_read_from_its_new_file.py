"""A capture that grew by files gives the tape of reading all at once, and reads the new ones."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.captures import INSTRUMENTS, VENUES, needs_data, source
from feeds.test_blocks_and_ranges_cut_between_frames import INSTRUMENT, START, depth, joined
from feeds.test_each_stream_goes_where_it_is_used import rows_of
from feeds.test_reading_is_causal import arrivals, made, off
from qf.tape import capture as capture_file
from qf.tape import draft, ingest
from qf.tape.capture import CaptureSource
from qf.tape.growth import STATE_FILE
from qf.tape.prefix import blocks_between, prefix, row_at, time_at
from qf.tape.reference import HOUR_NS
from qf.tape.source import Broken
from qf.tape.tape_file import NAMES, parts_of

SIDE = ("funding", "liquidations")


def capture_of(folder, count=None):
    paths = tuple(sorted(folder.glob("part_*")))[:count]
    return [CaptureSource("grown", "binance_spot", paths, "ns")]


def write(folder, number, items):
    frames = ((time, p.frame if isinstance(p, Broken) else p) for time, p, _ in items)
    (folder / f"part_{number:03d}").write_bytes(b"".join(b"%d %s\n" % row for row in frames))


def same(one, other):
    """Demand that two tapes are equal in all that they hold, and in how it is cut into blocks."""
    assert one.manifest == other.manifest
    assert (one.rows, one.key) == (other.rows, other.key)
    if one.rows:
        left, right = joined(one.blocks(1_000)), joined(other.blocks(777))
        assert all((left[name] == right[name]).all() for name in NAMES)
    for table in ("findings", "quarantine"):
        assert rows_of(getattr(one, table)()) == rows_of(getattr(other, table)())
    for table in SIDE:
        assert list(map(rows_of, one.table(table))) == list(map(rows_of, other.table(table)))


@given(arrivals, off, st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(1, 12))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_file_by_file_is_all_at_once(tmp_path_factory, monkeypatch, steps, recorder, cuts, rows):
    folder = tmp_path_factory.mktemp("grown")
    items = made(steps, recorder)
    edges = [0, *sorted(min(cut, len(items)) for cut in cuts), len(items)]
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "BLOCK_ROWS", rows)
        for number, (low, high) in enumerate(itertools.pairwise(edges)):
            write(folder, number, items[low:high])
            grown = ingest.ingest(capture_of(folder), INSTRUMENT, folder / "cache")
            assert grown.kept_files == number
        whole = ingest.ingest(capture_of(folder), INSTRUMENT, folder / "other")
    assert whole.kept_files == 0
    same(grown, whole)


def test_a_frame_that_waits_at_the_end_of_a_file_is_judged_by_the_next_file(tmp_path):
    day, step = 24 * HOUR_NS, ("trade", 10**9, 0, 0)
    items = made([step, step, ("trade", 10**9, day, 0), step, step], 0)
    write(tmp_path, 0, items[:3])
    first = ingest.ingest(capture_of(tmp_path), INSTRUMENT, tmp_path / "cache")
    assert first.last_time == items[2][0]
    write(tmp_path, 1, items[3:])
    grown = ingest.ingest(capture_of(tmp_path), INSTRUMENT, tmp_path / "cache")
    assert (grown.kept_files, grown.last_time) == (1, items[4][0])
    same(grown, ingest.ingest(capture_of(tmp_path), INSTRUMENT, tmp_path / "other"))


@pytest.fixture
def grown(tmp_path, monkeypatch):
    """Give a folder with a tape that grew twice, in blocks of 64 rows, and the paths read."""
    monkeypatch.setattr(ingest, "BLOCK_ROWS", 64)
    opened, read = [], capture_file.read_lines

    def noted(path, accept):
        opened.append(path.name)
        return read(path, accept)

    monkeypatch.setattr(capture_file, "read_lines", noted)
    items = [(*depth(i + 1, i + 1, START + i * 10**6, i % 5), "") for i in range(400)]
    for number in range(3):
        write(tmp_path, number, items[number * 130 : (number + 1) * 130])
        ingest.ingest(capture_of(tmp_path), INSTRUMENT, tmp_path / "cache")
    return tmp_path, opened


def test_only_the_new_file_is_read(grown):
    _, opened = grown
    assert opened == ["part_000", "part_001", "part_002"]


def test_the_blocks_that_were_there_are_the_same_files(grown):
    folder, _ = grown
    first, second, third = (
        ingest.ingest(capture_of(folder, n), INSTRUMENT, folder / "cache") for n in (1, 2, 3)
    )
    linked = [path for path, blocks in parts_of(third.folder) if blocks is not None]
    assert len(linked) == 2
    assert linked[0].samefile(first.folder / "tape.parquet")
    assert linked[1].samefile(second.folder / "tape.parquet")


def test_rows_are_found_by_number_and_by_time_over_all_files(grown):
    folder, _ = grown
    tape = ingest.ingest(capture_of(folder), INSTRUMENT, folder / "cache")
    other = ingest.ingest(capture_of(folder), INSTRUMENT, folder / "other")
    rng = np.random.default_rng(3)
    for row in [0, 1, tape.rows - 1, tape.rows, *rng.integers(0, tape.rows, 40).tolist()]:
        assert prefix(tape, row) == prefix(other, row)
        assert time_at(tape, row) == time_at(other, row)
        time = time_at(tape, row)
        assert row_at(tape, time, -1) == row_at(other, time, -1)
    for low, high in ((0, tape.rows), (63, 65), (100, 333)):
        pair = [joined(blocks_between(each, low, high, 50)) for each in (tape, other)]
        assert all((pair[0][name] == pair[1][name]).all() for name in NAMES)


def test_forgetting_a_tape_forgets_those_it_grew_from(grown):
    folder, opened = grown
    ingest.forget(capture_of(folder), INSTRUMENT, folder / "cache")
    assert list((folder / "cache").iterdir()) == []
    opened.clear()
    ingest.ingest(capture_of(folder), INSTRUMENT, folder / "cache")
    assert opened == ["part_000", "part_001", "part_002"]


@pytest.mark.parametrize("damage", ["gone", "torn", "strange"])
def test_without_a_readable_state_everything_is_read(grown, damage):
    folder, opened = grown
    write(folder, 3, [(*depth(9_999, 9_999, START + 10**9, 1), "")])
    for path in (folder / "cache").glob(f"*/{STATE_FILE}"):
        path.unlink() if damage == "gone" else None
        if damage == "torn":
            path.write_text(path.read_text()[:-9])
        elif damage == "strange":
            path.write_text(json.dumps({"state": 1}))
    opened.clear()
    tape = ingest.ingest(capture_of(folder), INSTRUMENT, folder / "cache")
    assert len(opened) == 4
    same(tape, ingest.ingest(capture_of(folder), INSTRUMENT, folder / "other"))


def test_a_file_that_changed_or_came_first_is_read_with_all_behind_it(grown):
    folder, opened = grown
    (folder / "part_001").write_bytes((folder / "part_001").read_bytes()[:-300])
    opened.clear()
    tape = ingest.ingest(capture_of(folder), INSTRUMENT, folder / "cache")
    assert (opened, tape.kept_files) == (["part_001", "part_002"], 1)
    (folder / "part_000a").write_bytes(b"")
    opened.clear()
    tape = ingest.ingest(capture_of(folder), INSTRUMENT, folder / "cache")
    assert (opened, tape.kept_files) == (["part_000a", "part_001", "part_002"], 1)


def test_a_file_system_without_links_gets_copies(grown, monkeypatch):
    folder, _ = grown

    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(draft.os, "link", refuse)
    write(folder, 3, [(*depth(9_999, 9_999, START + 10**9, 1), "")])
    tape = ingest.ingest(capture_of(folder), INSTRUMENT, folder / "cache")
    assert tape.kept_files == 3
    same(tape, ingest.ingest(capture_of(folder), INSTRUMENT, folder / "other"))


@needs_data
@pytest.mark.parametrize("venue", VENUES)
def test_a_real_capture_grows(venue, tmp_path):
    items = [item for _, item in zip(range(8_000), source(venue).arrivals(), strict=False)]
    for number, (low, high) in enumerate(((0, 2_500), (2_500, 6_000), (6_000, 8_000))):
        write(tmp_path, number, items[low:high])
    paths = tuple(sorted(tmp_path.glob("part_*")))
    for count in (1, 2, 3):
        capture = CaptureSource("capture", venue, paths[:count], "ns")
        grown = ingest.ingest([capture], INSTRUMENTS[venue], tmp_path / "cache")
        assert grown.kept_files == count - 1
    same(grown, ingest.ingest([capture], INSTRUMENTS[venue], tmp_path / "other"))
