"""A tape's receive times never run back; columns that do so make no row too many."""

from __future__ import annotations

import numpy as np
import pytest

from qf.program import Program
from tests.book.model import MS, random_frames, tape_of
from tests.book.programs import book_plan, read_all


@pytest.mark.parametrize("block", [1, 64, 4096])
def test_snapshots_of_times_that_run_back_have_room(block):
    rows = 0
    for seed in range(20):
        rng, back = np.random.default_rng(seed), 0
        frames = random_frames(seed, "spot", count=200)
        for frame in frames:
            back += int(rng.integers(0, 500)) * MS if rng.random() < 0.05 else 0
            frame["received"] -= back
        plan, columns = book_plan("spot", period_ms=1)
        for clock in ("tick", "snapshot"):
            read_all(plan, *columns[clock])
        made = Program(plan, block).push(tape_of(frames))["snapshot"]
        assert (np.diff(made["snapshot_time"]) > 0).all()
        rows += len(made["quality"])
    assert rows > 1000
