"""History and live make one: a line begun from a run's end state goes on as batch would have."""

from __future__ import annotations

import dataclasses
import shutil

import polars as pl
import pytest

import qf
from qf.engines.run import run_project
from qf.engines.sources import open_tape
from qf.engines.symbol_plan import plan_symbol
from qf.engines.warm_start import warm_start
from qf.live.engine import Settings
from qf.program import Program
from qf.project import open_project
from qf.schema import BIT
from qf.store.read import Reader
from qf.tape.prefix import blocks_between
from tests.acceptance.projects import CAPTURES, make_project
from tests.live.conftest import EDITS
from tests.live.scene import Machine, frames_of, live, tables_of

KEPT_TABLES = {"instruments", "qf_runs"}


@pytest.fixture(scope="module")
def halves(shared, shared_data, tmp_path_factory):
    """Give a project that has run over the first file of a capture, and one that ran over both."""
    pattern = CAPTURES["spot"][0]
    paths = sorted(shared_data.glob(pattern))
    source = shared / "walkthrough" / "breakout_alpha"
    done = []
    for count in (1, 2):
        data = tmp_path_factory.mktemp(f"half_{count}")
        place = data / pattern
        place.parent.mkdir(parents=True)
        for path in paths[:count]:
            shutil.copy(path, place.parent)
        folder = make_project(data / "breakout_alpha", data, "spot", source, EDITS)
        project = open_project(folder)
        run_project(project)
        done.append((project, Reader(project.paths.database, project.name)))
    return done


def test_history_and_live_are_batch_over_everything(halves, tmp_path):
    (first, before), (both, whole) = halves
    start = qf.open(first.folder).warm_start()
    assert start.replayed == 0
    old, everything = frames_of(first), frames_of(both)
    frames = everything[len(old) :][:30_000]
    machine = Machine()
    engine = live(
        machine, first, frames, Settings(epoch_frames=11_000), start={start.symbol: start.state()}
    )
    assert engine.lines[start.symbol].frames == len(old) + len(frames)
    shown = tables_of(machine, first, tmp_path)
    last = whole.frame("cdm_trade_enriched").filter(pl.col("seq") < len(old) + len(frames))
    compared = 0
    for name in sorted(set(whole.tables()) - KEPT_TABLES):
        joined = pl.concat([before.frame(name), shown.frame(name)])
        assert joined.equals(whole.frame(name).head(len(joined))) or _same(joined, whole, name)
        compared += len(shown.frame(name))
    enriched = pl.concat([before.frame("cdm_trade_enriched"), shown.frame("cdm_trade_enriched")])
    assert enriched.equals(last)
    assert compared > 5_000
    rows = shown.features("microstructure_breakout").collect()
    own = rows.filter(pl.col("feature_name") == "breakout_strength")
    assert len(own) > 50
    assert (own["quality"] & BIT["warmup"] == 0).all()


def _same(joined: pl.DataFrame, whole: Reader, name: str) -> bool:
    """Say whether every row is a row of the whole table, whatever parts of keys it interleaves."""
    parts = ("bar_clock", "feature_set", "feature_name", "label_name", "bar_id")
    key = [each for each in parts if each in joined.columns]
    other = whole.frame(name)
    kept = other.join(joined.select(key), on=key, how="semi", maintain_order="left")
    return len(kept) == len(joined) and kept.sort(key).equals(joined.sort(key))


def test_without_a_saved_state_the_history_runs_again_to_the_same_state(halves):
    project, _ = halves[0]
    kept = qf.open(project.folder).warm_start()
    bare = dataclasses.replace(project.paths, state=project.folder / "nothing")
    anew = dataclasses.replace(project, paths=bare)
    again = warm_start(anew, project.symbols[0])
    assert again.replayed == again.rows > 0
    both, _ = halves[1]
    tape = open_tape(both, both.symbols[0])
    blocks, made = list(blocks_between(tape, kept.rows, kept.rows + 40_000, 20_000)), []
    for start in (kept, again):
        program = Program(plan_symbol(both, tape.instrument, tape.continuity).plan)
        program.restore(start.program)
        made.append([program.advance(block) for block in blocks])
    assert all(len(one) for one in made[0])
    for one, other in zip(*made, strict=True):
        assert {clock: rows.tobytes() for clock, rows in one.items()} == {
            clock: rows.tobytes() for clock, rows in other.items()
        }
    assert again.before == kept.before != {}
    assert again.reader == kept.reader
