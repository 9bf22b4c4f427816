"""A checkpoint of another plan, machine, library or journal is refused by the name of what differs.

With `rewarm` the journal runs again under the plan of now, and no row that went out is changed.
"""

from __future__ import annotations

import dataclasses

import pytest

from qf import kernel
from qf.errors import QuantflowError
from qf.live import checkpoint
from qf.live.engine import Settings
from tests.live.scene import SETTINGS, Machine, live, tables_of

REWARM = dataclasses.replace(SETTINGS, rewarm=True)


@pytest.fixture
def stopped(short):
    """Give a machine on which a session has seen the first half of the frames."""
    project, frames, _ = short
    machine = Machine()
    live(machine, project, frames[:1_300], SETTINGS)
    return machine


def newest(machine: Machine) -> str:
    return max(path for path in machine.platter.files if path.startswith("checkpoint/"))


def test_another_plan_is_refused_by_name(short, stopped):
    project, frames, _ = short
    enrich = dataclasses.replace(project.enrich, book_ttl_ms=2_000)
    other = dataclasses.replace(project, enrich=enrich)
    with pytest.raises(QuantflowError, match="of another lines BTCUSDT plan") as refused:
        live(stopped, other, frames, SETTINGS)
    assert refused.value.code == "QF592"


def test_other_kernels_libraries_and_epochs_are_refused_by_name(
    short, stopped, monkeypatch, tmp_path
):
    project, frames, _ = short
    folder = tmp_path / "another-machine"
    folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "cache_folder", lambda: folder)
        with pytest.raises(QuantflowError, match=r"of another kernels: .*another-machine"):
            live(stopped, project, frames, SETTINGS)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "version", lambda name: "0.0.1")
        with pytest.raises(QuantflowError, match=r"of another versions qf: .* here 0.0.1"):
            live(stopped, project, frames, SETTINGS)
    with pytest.raises(QuantflowError, match="of another epochs"):
        live(stopped, project, frames, Settings(epoch_frames=77))


def test_a_checkpoint_ahead_of_its_journal_is_refused(short, stopped):
    project, frames, _ = short
    (path,) = [path for path in stopped.platter.files if path.startswith("journal/")]
    del stopped.platter.files[path].data[5_000:]
    for settings in (SETTINGS, REWARM):
        with pytest.raises(QuantflowError, match="is ahead of the journal"):
            live(stopped, project, frames, settings)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(short, stopped):
    project, frames, wanted = short
    stopped.platter.files[newest(stopped)].data[40] ^= 1
    engine = live(stopped, project, frames, SETTINGS)
    assert any("is damaged and passed over" in note for note in engine.notes)
    assert stopped.files("tables", "jsonl") == wanted


def test_without_any_checkpoint_the_journal_alone_makes_everything_again(short, stopped):
    project, frames, wanted = short
    for path in [path for path in stopped.platter.files if path.startswith("checkpoint/")]:
        stopped.platter.files[path].data.clear()
    with pytest.raises(QuantflowError, match="no whole checkpoint"):
        live(stopped, project, frames, SETTINGS)
    live(stopped, project, frames, REWARM)
    tables = stopped.files("tables")
    assert tables == {path: data for path, data in wanted.items() if path.startswith("tables")}


def test_a_new_plan_goes_on_and_leaves_the_rows_that_went_out(short, stopped, tmp_path):
    project, frames, _ = short
    enrich = dataclasses.replace(project.enrich, book_ttl_ms=2_000)
    other = dataclasses.replace(project, enrich=enrich)
    before = stopped.files("tables", "jsonl")
    ended = int(newest(stopped)[-20:-4])
    engine = live(stopped, other, frames, REWARM)
    assert any("computed again" in note for note in engine.notes)
    after = stopped.files("tables", "jsonl")
    for path, data in before.items():
        if path.startswith("jsonl") or int(path[-24:-8] if "parquet" in path else ended) < ended:
            assert after[path] == data, path
    reader = tables_of(stopped, project, tmp_path)
    keys = reader.frame("cdm_trade_enriched")["seq"]
    assert keys.is_unique().all()
    lines = [
        line
        for path, data in after.items()
        if path.startswith("jsonl") and "cdm_trade_enriched" in path
        for line in data.splitlines()
    ]
    assert len(lines) == len(keys)
