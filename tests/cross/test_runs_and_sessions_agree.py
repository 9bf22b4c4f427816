"""Day by day, late, at once, by workers and live: the vectors of a cross set keep every bit."""

from __future__ import annotations

import random
import shutil

import polars as pl

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
CUT = START + 11 * SECOND_NS


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


def _told(project, **asked) -> str:
    return "; ".join(n for n in run_project(project, **asked).notes if n.startswith("majors"))


def test_parts_of_the_time_give_what_one_run_gives(ran, tmp_path):
    project = _again(ran, tmp_path / "parts")
    run_project(project, end=CUT)
    assert "of stored features of 3 of 3" in _told(project, start=CUT)
    assert _reader(project).hash(TABLE) == ran[1].hash(TABLE)
    assert "kept" in _told(ran[0])


def test_a_run_that_begins_late_sees_the_past_and_a_set_that_is_gone_goes(ran, tmp_path):
    project = _again(ran, tmp_path / "late")
    assert "of stored features of 0 of 3" in _told(project, start=CUT)
    span = (CUT, None)
    assert _reader(project).hash(TABLE, span=span) == ran[1].hash(TABLE, span=span)
    assert "ETHUSDT, SOLUSDT, not part of this run" in _told(project, symbols=["BTCUSDT"])
    path = project.folder / "quantflow_project.yml"
    path.write_text(path.read_text().replace(CROSS, ""))
    run_project(open_project(project.folder))
    assert TABLE not in _reader(project).tables()


def test_a_session_that_is_killed_equals_the_run(ran, tmp_path):
    project, reader = ran
    frames = frames_of(project)
    machine, settings = Machine(4), Settings(epoch_frames=700, group_frames=64)
    deaths, chance = 0, random.Random(4)
    for life in range(3):
        machine.platter.fuse = chance.randrange(20, 60) if life < 2 else 0
        deaths += live_until_death(machine, project, frames, settings, life)
    assert deaths == 2
    assert tables_of(machine, project, tmp_path).hash(TABLE) == reader.hash(TABLE)


def test_a_session_goes_on_where_a_run_ended(ran, tmp_path):
    _, reader = ran
    project = open_project(make(tmp_path / "short", minutes=0.2))
    run_project(project)
    begun = {symbol: len(_arrivals(project, symbol)) for symbol in project.symbols}
    machine = Machine()
    states, _ = history(project, project.symbols, machine.world().disk)
    rest = frames_of(ran[0], begun)
    engine = live(machine, project, rest, Settings(epoch_frames=900), start=states)
    assert engine.status()["notes"] == []
    shown = tables_of(machine, project, tmp_path / "shown").frame(TABLE)
    both = pl.concat([_reader(project).frame(TABLE), shown]).sort("symbol", "bar_id")
    assert len(shown) > 40
    assert both.equals(reader.frame(TABLE).sort("symbol", "bar_id"))
