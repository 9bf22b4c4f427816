"""The receive clock steps back, and is put right: the book must not stay stale for ever."""

import polars as pl

from qf.clock import SECOND_NS
from qf.engines.run import run_project
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.schema import BIT
from qf.store.read import Reader
from qf.testing.market import Market, simulated_feed
from qf.testing.market.mishaps import CLOCK_STEP_LASTS_S

PROVIDER = """\
name: simulated_market
kind: simulated
venue: binance_spot
seed: 21
minutes: 180
intensity: 1
faults: { silence: 0, gap: 0, trade_gap: 0, burst: 0, clock_step: 1 }
"""


def test_a_clock_step_does_not_make_the_book_stale_for_ever(tmp_path):
    draft = draft_project("stepped", "crypto")
    draft.files[".definitions/feed_providers/simulated_market.yml"] = PROVIDER.encode()
    write_project(tmp_path / "stepped", draft)
    project = open_project(tmp_path / "stepped")
    options = dict(project.providers[0].options)
    market = Market(simulated_feed(options, "binance_spot", "BTCUSDT").settings)
    assert sum(1 for _ in market.frames(3 * 3_600)) > 10_000
    steps = [fault.receive_ns for fault in market.faults if fault.kind == "clock_step"]
    assert steps

    run_project(project, stages=("state",))
    reader = Reader(project.paths.database, project.name, project.paths.parquet)
    trades = reader.frame("cdm_trade_enriched", ["processed_time", "quality"])
    times = trades["processed_time"].cast(pl.Int64).to_numpy()
    bits = trades["quality"].to_numpy()
    # put right, the clock jumps forward by seconds: that ages the book once, until its next change
    for stale in times[bits & BIT["stale"] != 0].tolist():
        assert any(abs(stale - step - CLOCK_STEP_LASTS_S * SECOND_NS) < 20e9 for step in steps)
