"""Mark price, index price and funding rate of a contract meet decisions as other symbols do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qf.clock import SECOND_NS
from qf.engines.run import run_project
from qf.live.engine import Settings
from qf.project import open_project
from qf.store.read import Reader
from tests.acceptance.projects import make_project
from tests.live.scene import Machine, frames_of, live, tables_of

TABLE = "feature_vectors_derivatives"
CROSS = """feature_engine:
  cross:
    - name: derivatives
      of: microstructure_breakout
      staleness: { ttl_ms: 5000, action: invalidate }
      features:
        - { name: basis, formula: "basis_bps(mark_price, index_price)" }
        - { name: funding, formula: "funding_annualized(funding_rate, 8)" }
        - { name: own_mark, formula: "BTCUSDT.mark_price" }
"""


@pytest.fixture(scope="module")
def ran(shared, shared_data, tmp_path_factory):
    """Give a project over the USD-M capture after one run, and its reader."""
    source = shared / "walkthrough" / "breakout_alpha"
    folder = tmp_path_factory.mktemp("marks") / "breakout_alpha"
    make_project(folder, shared_data, "usdm", source, {"feature_engine:\n": CROSS})
    project = open_project(folder)
    run_project(project)
    return project, Reader(project.paths.database, project.name, project.paths.parquet)


def test_a_decision_sees_the_newest_mark_before_it(ran):
    _, reader = ran
    marks = reader.frame("cdm_funding").sort("seq")
    times = marks["processed_time"].to_physical().to_numpy()
    vectors = reader.frame(TABLE).sort("bar_id")
    known = vectors["feature_time"].to_physical().to_numpy()
    assert (np.diff(times) >= 0).all()
    seen = 0
    for row, time in zip(vectors.iter_rows(named=True), known, strict=True):
        at = int(np.searchsorted(times, time, "left")) - 1
        if at < 0 or time - times[at] > 5 * SECOND_NS:
            assert row["basis"] is None
            continue
        mark, index, rate = marks.select("mark_price", "index_price", "funding_rate").row(at)
        assert math.isclose(row["basis"], 10_000 * (mark / index - 1), abs_tol=1e-9)
        assert math.isclose(row["funding"], rate * 1095, rel_tol=1e-12)
        assert row["own_mark"] == mark
        seen += 1
    assert seen > 20


def test_a_session_sees_the_same_marks(ran, tmp_path):
    project, reader = ran
    machine, frames = Machine(), frames_of(project)[:9_000]
    live(machine, project, frames, Settings(epoch_frames=4_000), seed=3)
    shown = tables_of(machine, project, tmp_path).frame(TABLE).sort("bar_id")
    assert len(shown) > 20
    assert shown.equals(reader.frame(TABLE).sort("bar_id").head(len(shown)))
