"""Day by day equals at once, bit for bit, however the range is cut and the files arrive."""

from __future__ import annotations

import shutil
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qf.clock import DAY_NS, parse_time
from qf.project.scaffold import draft_project, write_project
from tests.acceptance.projects import make_project
from tests.runs.projects import MINUTE, TAPES, copied, edit, hashes, make, run, said

START = parse_time("2024-08-08T00:00:00Z")
WALKTHROUGH = "breakout_alpha"


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 39), min_size=1, max_size=4, unique=True), st.randoms())
def test_any_cut_of_the_range_in_any_order_gives_the_same_tables(
    captures, ready, at_once, tmp_path_factory, cuts, random
):
    folder = make(tmp_path_factory.mktemp("cut") / "small", captures, ready)
    edges = [None, *(START + cut * MINUTE for cut in sorted(cuts)), None]
    ranges = list(pairwise(edges))
    random.shuffle(ranges)
    for start, end in ranges:
        run(folder, start=start, end=end)
    assert hashes(folder) == at_once


def test_capture_files_that_appear_are_gone_on_with(captures, at_once, tmp_path):
    mine = tmp_path / "captures"
    mine.mkdir()
    files = sorted(captures.glob("*.gz"))
    shutil.copy(files[0], mine)
    folder = make(tmp_path / "small", mine)
    run(folder)
    for number, file in enumerate(files[1:], 1):
        shutil.copy(file, mine)
        result = run(folder)
        done = said(result)
        assert "went on with everything" in done and "passed over" not in done
        assert f"tape gone on with: {number} file" in result.lines()[0]
    assert hashes(folder) == at_once


def test_a_changed_file_is_computed_from_there_on(captures, tmp_path):
    mine = tmp_path / "captures"
    shutil.copytree(captures, mine)
    last = sorted(mine.glob("*.gz"))[-1]
    aside = last.rename(tmp_path / last.name)
    folder = make(tmp_path / "small", mine)
    run(folder)
    shutil.copy(aside, mine)
    run(folder)
    shutil.copy(sorted(captures.glob("*.gz"))[0], last)  # other bytes under the old name
    done = said(run(folder))
    assert "other input than before" in done
    other = make(tmp_path / "other" / "small", mine)
    run(other)
    assert hashes(folder) == hashes(other)


def test_nothing_is_done_twice(ready, at_once, tmp_path):
    folder = copied(ready, tmp_path / "small")
    done = run(folder)
    assert said(done) == "kept everything: of the same definitions, code and input"
    assert done.symbols[0].accounts["trade"]["applied"] > 0  # the accounting is kept too
    assert hashes(folder) == at_once
    assert "--force-refresh" in said(run(folder, force=True))
    assert hashes(folder) == at_once


def test_a_state_that_is_gone_or_damaged_costs_time_only(captures, ready, at_once, tmp_path):
    folder = make(tmp_path / "small", captures, ready)
    for minutes, damage in ((10, b""), (20, b"QFPIECE1 torn"), (30, None)):
        run(folder, end=START + minutes * MINUTE)
        for path in (folder / ".data" / "state").glob("*"):
            path.unlink() if damage is None else path.write_bytes(damage)
    assert "passed over" in said(run(folder))
    assert hashes(folder) == at_once


@pytest.mark.parametrize("kind", ["spot"])
def test_a_real_capture_cut_at_midnight_equals_the_whole(shared, shared_data, tmp_path, kind):
    source = shared / "walkthrough" / WALKTHROUGH
    whole = make_project(tmp_path / "whole" / WALKTHROUGH, shared_data, kind, source)
    result = run(whole)
    tape = result.symbols[0].tape
    midnight = parse_time("2024-08-09T00:00:00Z")
    middle = midnight if tape.first_time < midnight < tape.last_time else None
    middle = middle or (tape.first_time + tape.last_time) // 2
    parts = make_project(tmp_path / "parts" / WALKTHROUGH, shared_data, kind, source)
    run(parts, end=middle)
    assert "went on with everything" in said(run(parts, start=middle))
    assert hashes(parts) == hashes(whole)


def test_five_simulated_days_one_by_one_equal_all_at_once(tmp_path):
    folders = [tmp_path / name / "days" for name in ("whole", "parts")]
    for folder in folders:
        write_project(folder, draft_project("days", "crypto"))
        feed = ".definitions/feed_providers/simulated_market.yml"
        edit(folder, feed, "minutes: 30", "minutes: 7200")
        edit(folder, feed, "intensity: 30", "intensity: 0.05")
        # A market this calm would be 864,000 snapshots of a book that stands still.
        edit(folder, "quantflow_project.yml", "period_seconds: 0.5", "period_seconds: 30")
    tape = run(folders[0]).symbols[0].tape
    shutil.copytree(folders[0] / TAPES, folders[1] / TAPES)
    for day in range(5):
        end = tape.first_time // DAY_NS * DAY_NS + (day + 1) * DAY_NS
        done = said(run(folders[1], end=end if end <= tape.last_time else None))
        assert day == 0 or "went on with everything" in done
    assert hashes(folders[1]) == hashes(folders[0])
