"""The tables of a live session are those of a batch run over the same frames, bit for bit."""

from __future__ import annotations

import pytest

from qf.live.engine import Settings
from tests.live.scene import Machine, live, tables_of

NOT_LIVE = {"instruments", "qf_runs"}


@pytest.mark.parametrize("kind", ["spot", "usdm"])
def test_every_table_equals_batch_whatever_the_groups(batch, kind, tmp_path):
    ran, frames = batch(kind)
    wanted = {name: ran.reader.hash(name) for name in ran.reader.tables() if name not in NOT_LIVE}
    for seed, epoch in ((1, 9_000), (2, 250_000)):
        machine = Machine()
        engine = live(machine, ran.project, frames, Settings(epoch_frames=epoch), seed)
        reader = tables_of(machine, ran.project, tmp_path / str(seed))
        found = {name: reader.hash(name) for name in reader.tables()}
        assert found == wanted
        assert engine.meter.frames == len(frames)
