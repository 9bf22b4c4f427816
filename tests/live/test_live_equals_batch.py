"""The tables of a live session are those of a batch run over the same frames, bit for bit."""

from __future__ import annotations

import pytest

from qf.engines.run import run_project
from qf.engines.sources import sources_of
from qf.live.engine import Settings
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.store.read import Reader
from qf.tape.journal import Frame, Journal
from tests.live.scene import Machine, live, tables_of

NOT_LIVE = {"instruments", "qf_runs"}


@pytest.mark.parametrize("kind", ["spot", "usdm"])
def test_every_table_equals_batch(batch, kind, tmp_path):
    ran, frames = batch(kind)
    wanted = {name: ran.reader.hash(name) for name in ran.reader.tables() if name not in NOT_LIVE}
    machine = Machine()
    engine = live(machine, ran.project, frames, Settings(epoch_frames=30_000), seed=1)
    reader = tables_of(machine, ran.project, tmp_path)
    assert {name: reader.hash(name) for name in reader.tables()} == wanted
    (told,) = ran.result.symbols
    assert engine.lines[told.symbol].accounts == told.accounts
    status = engine.status()
    assert (status["state"], status["frames"]) == ("stopped", len(frames))
    assert status["journal"]["durable"] == len(frames)
    assert status["lines"][told.symbol]["book"]["valid"]


def test_any_grouping_of_frames_writes_the_same_bytes(batch):
    ran, frames = batch("spot")
    files = []
    for seed, most in ((1, 40), (2, 3_000)):
        machine = Machine()
        settings = Settings(epoch_frames=1_900, group_frames=most)
        live(machine, ran.project, frames[:5_000], settings, seed)
        files.append(machine.files("tables", "jsonl"))
    assert len(files[0]) > 20
    assert files[0] == files[1]


def test_several_symbols_share_a_journal_and_keep_apart(tmp_path):
    write_project(tmp_path / "two", draft_project("two", "crypto", None, None))
    path = tmp_path / "two/quantflow_project.yml"
    path.write_text(path.read_text().replace("[BTCUSDT]", "[BTCUSDT, ETHUSDT]"))
    provider = tmp_path / "two/.definitions/feed_providers/simulated_market.yml"
    provider.write_text(provider.read_text().replace("minutes: 30", "minutes: 0.4"))
    project = open_project(tmp_path / "two")
    assert project.symbols == ("BTCUSDT", "ETHUSDT")
    run_project(project)
    reader = Reader(project.paths.database, project.name)
    frames = []
    for symbol in project.symbols:
        (source,), _ = sources_of(project, symbol)
        for time, payload, _ in source.arrivals():
            # A snapshot names its symbol nowhere: the session says whose it asked for.
            asked = symbol if payload.startswith(b'{"lastUpdateId"') else ""
            frames.append(Frame(time, asked, payload))
    frames.sort(key=lambda frame: frame.processed_time)
    machine = Machine()
    live(machine, project, frames, Settings(epoch_frames=400))
    shown = tables_of(machine, project, tmp_path / "shown")
    made = {name for name, rows in reader.tables().items() if rows} - NOT_LIVE
    assert {name: shown.hash(name) for name in shown.tables()} == {
        name: reader.hash(name) for name in made
    }
    journal = Journal(machine.world().disk)
    assert {frame.symbol for frame in journal.read()} == set(project.symbols)
