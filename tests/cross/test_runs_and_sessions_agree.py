"""Day by day, late, at once, by workers and live: the vectors of a cross set keep every bit."""

from __future__ import annotations

import itertools
import random
import shutil

import polars as pl
import pytest

from qf.clock import SECOND_NS, parse_time
from qf.engines.run import run_project
from qf.engines.sources import sources_of
from qf.live.engine import Settings
from qf.live.history import history
from qf.project import open_project
from qf.store.read import Reader
from qf.tape.journal import Frame
from tests.cross.projects import CROSS, make
from tests.live.scene import Machine, live, live_until_death, tables_of

TABLE = "feature_vectors_majors"
START = parse_time("2024-01-02T00:00:00Z")
CUTS = (None, START + 15 * SECOND_NS, START + 28 * SECOND_NS, None)


def _again(ran, folder):
    """Return the project in another folder, without what it made but its tapes."""
    shutil.copytree(ran[0].folder, folder, ignore=shutil.ignore_patterns("db", "parquet", "state"))
    return open_project(folder)


def _reader(project) -> Reader:
    return Reader(project.paths.database, project.name, project.paths.parquet)


def _arrivals(project, symbol):
    (source,), _ = sources_of(project, symbol)
    return list(source.arrivals())


def frames_of(project, begun=()) -> list[Frame]:
    """Return the frames of all symbols in the order of their receive times, behind those begun."""
    frames = []
    for symbol in project.symbols:
        for time, payload, _ in _arrivals(project, symbol)[dict(begun).get(symbol, 0) :]:
            asked = symbol if payload.startswith(b'{"lastUpdateId"') else ""
            frames.append(Frame(time, asked, payload))
    return sorted(frames, key=lambda frame: frame.processed_time)


def test_parts_of_the_time_give_what_one_run_gives(ran, tmp_path):
    project = _again(ran, tmp_path / "parts")
    for start, end in itertools.pairwise(CUTS):
        run_project(project, start=start, end=end)
    assert _reader(project).hash(TABLE) == ran[1].hash(TABLE)
    (note,) = [n for n in run_project(project).notes if n.startswith("majors")]
    assert "vectors of 3 symbols" in note  # another range was asked for
    (note,) = [n for n in run_project(project).notes if n.startswith("majors")]
    assert "kept" in note


def test_a_run_that_begins_late_still_sees_the_past(ran, tmp_path):
    project = _again(ran, tmp_path / "late")
    run_project(project, start=CUTS[2])
    span = (CUTS[2], None)
    assert _reader(project).hash(TABLE, span=span) == ran[1].hash(TABLE, span=span)
    told = run_project(project, symbols=["BTCUSDT"]).notes
    assert any("ETHUSDT, SOLUSDT, not part of this run" in note for note in told)


def test_a_set_that_is_gone_takes_its_rows_along(ran, tmp_path):
    project = _again(ran, tmp_path / "gone")
    run_project(project)
    path = project.folder / "quantflow_project.yml"
    path.write_text(path.read_text().replace(CROSS, ""))
    run_project(open_project(project.folder))
    assert TABLE not in _reader(project).tables()


@pytest.fixture(scope="module")
def frames(ran):
    """Give the frames of the session."""
    return frames_of(ran[0])


def test_a_session_equals_the_run_whatever_the_groups(ran, frames, tmp_path):
    project, reader = ran
    files = []
    for seed, most in ((1, 64), (2, 900)):
        machine = Machine()
        engine = live(machine, project, frames, Settings(epoch_frames=900, group_frames=most), seed)
        shown = tables_of(machine, project, tmp_path / str(seed))
        assert shown.hash(TABLE) == reader.hash(TABLE)
        assert engine.status()["notes"] == []
        files.append(machine.files("tables"))
    assert files[0] == files[1]


def test_a_killed_session_goes_on_with_the_same_bits(ran, frames, tmp_path):
    project, reader = ran
    machine, settings = Machine(4), Settings(epoch_frames=700, group_frames=64)
    deaths, chance = 0, random.Random(4)
    for life in range(5):
        machine.platter.fuse = chance.randrange(20, 200) if life < 4 else 0
        deaths += live_until_death(machine, project, frames, settings, life)
    assert deaths == 4
    assert tables_of(machine, project, tmp_path).hash(TABLE) == reader.hash(TABLE)


def test_a_session_goes_on_where_a_run_ended(ran, tmp_path):
    _, reader = ran
    project = open_project(make(tmp_path / "short", minutes=0.4))
    run_project(project)
    begun = {symbol: len(_arrivals(project, symbol)) for symbol in project.symbols}
    machine = Machine()
    states, _ = history(project, project.symbols, machine.world().disk)
    rest = frames_of(ran[0], begun)
    live(machine, project, rest, Settings(epoch_frames=900), start=states)
    shown = tables_of(machine, project, tmp_path / "shown").frame(TABLE)
    both = pl.concat([_reader(project).frame(TABLE), shown]).sort("symbol", "bar_id")
    assert len(shown) > 50
    assert both.equals(reader.frame(TABLE).sort("symbol", "bar_id"))
