"""`qf check` tells after a run which clock of expected values ran away, and of no other."""

from __future__ import annotations

import gzip
import re

import pytest

from edge.cli_case import qf
from qf.testing.market import Market, MarketSettings

CAPTURE = "--capture 'capture_*.gz' --venue binance_spot --symbol BTCUSDT"
BARS = (
    "state_engine:\n  bars:\n"
    "    - { type: imbalance_afml, ticks: 1, bars: 1, clamp: 0, floor: 0, of: ticks }\n"
    "    - { type: imbalance_afml, ticks: 21, of: ticks }\n"
)


@pytest.fixture
def project(tmp_path):
    lines = b"".join(Market(MarketSettings(seed=3, intensity=20.0)).lines(20.0))
    (tmp_path / "capture_1.gz").write_bytes(gzip.compress(lines))
    assert qf(f"init made --template blank {CAPTURE}", tmp_path).code == 0
    return tmp_path / "made"


def test_check_names_a_clock_that_collapsed_and_no_other(project):
    path = project / "quantflow_project.yml"
    path.write_text(re.sub(r"state_engine:\n(?: .*\n)+", BARS, path.read_text()))
    assert qf("run", project).code == 0
    said = qf("check", project).err
    unsteady = [line for line in said.splitlines() if "collapsed" in line or "run away" in line]
    (line,) = unsteady
    assert (
        "imbalance_afml_k_1_bars_1_floor_0_clamp_0_ticks: it collapsed to bars of one trade" in line
    )
    assert "% of one trade" in line
