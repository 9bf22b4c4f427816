"""The tables of a live session are those of a batch run over the same frames, bit for bit."""

from __future__ import annotations

import pytest

from qf.live.engine import Settings
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
    assert engine.meter.frames == len(frames)


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
