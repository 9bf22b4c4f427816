"""The book vector: 21 numbers in a fixed order, each a z-score, those of a stale book null."""

from __future__ import annotations

import json

import numpy as np
import pytest

from qf.engines.sources import open_tape
from qf.engines.symbol_plan import plan_symbol
from qf.program import Program
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.schema import BIT

PER_BAR, WINDOW = 3, 100
ORDER = (
    *(f"bid_size_level_{level}" for level in range(5)),
    *(f"ask_size_level_{level}" for level in range(5)),
    *(f"imbalance_level_{level}" for level in range(5)),
    *("spread", "rsi_14", "ema_12", "ema_26", "atr_14", "bollinger_width_20"),
)
OF_THE_BOOK, OTHERS = ORDER[:16], ORDER[16:]
FAULTS = {"silence": 60, "burst": 0, "gap": 0, "trade_gap": 0, "duplicate": 0, "clock_step": 0}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Give the vectors' table route, what the bars carry, and the raw size at each bar's close."""
    folder = tmp_path_factory.mktemp("vector") / "book_vector"
    write_project(folder, draft_project("book_vector", "blank"))
    market = {"name": "simulated_market", "kind": "simulated", "venue": "binance_spot", "seed": 3}
    market |= {"minutes": 10, "intensity": 25, "faults": FAULTS, "start": "2024-01-02T00:00:00Z"}
    chosen = {"name": "lob_vector", "type": "lob_vector", "bar": f"tick_k_{PER_BAR}"}
    project = {
        "name": "book_vector",
        "version": "1.0.0",
        "feed_providers": ["simulated_market"],
        "symbols": ["BTCUSDT"],
        "state_engine": {"bars": [{"type": "tick", "count": PER_BAR}]},
        "feature_engine": {"features": [chosen]},
    }
    provider = folder / ".definitions" / "feed_providers" / "simulated_market.yml"
    provider.write_text(json.dumps(market))
    (folder / "quantflow_project.yml").write_text(json.dumps(project))
    opened = open_project(folder)
    tape = open_tape(opened, opened.symbols[0])
    planned = plan_symbol(opened, tape.instrument, tape.continuity, {"features", "vectors"})
    planned.plan.read("raw", planned.state.tick["bid_size_0"])
    planned.plan.read("spread_raw", planned.state.tick["spread"])
    program = Program(planned.plan)
    parts = [program.push(block) for block in tape.blocks(1 << 17)]
    clock = f"tick_k_{PER_BAR}"
    bars = {name: np.concatenate([p[clock][name] for p in parts]) for name in parts[0][clock]}
    closes = {
        name: np.concatenate([p["tick"][name] for p in parts])[PER_BAR - 1 :: PER_BAR]
        for name in ("raw", "spread_raw")
    }
    return planned.routes, bars, closes


def test_the_order_is_fixed_and_named(run):
    (table,) = [r.table for r in run[0] if r.table.name.startswith("feature_vectors_")]
    shown = [f.name for f in table.fields if f.name in ORDER]
    assert len(ORDER) == 21 and shown == list(ORDER)


def test_each_is_a_z_score_of_the_last_hundred_bars(run):
    _, bars, closes = run
    for name, raw in (("bid_size_level_0", closes["raw"]), ("spread", closes["spread_raw"])):
        found = bars[f"lob_vector.{name}.value"]
        raw = raw[: len(found)]
        compared = 0
        for row in range(WINDOW, len(found)):
            part = raw[row - WINDOW + 1 : row + 1]
            if np.isnan(part).any() or np.isnan(found[row]):
                continue
            assert abs(found[row] - (raw[row] - part.mean()) / part.std(ddof=1)) < 1e-9
            compared += 1
        assert compared > 100
    for name in ORDER:
        known = bars[f"lob_vector.{name}.value"]
        assert np.nanmax(np.abs(known)) <= (WINDOW - 1) / np.sqrt(WINDOW) + 1e-9


def test_a_stale_book_gives_null_and_not_zeros(run):
    _, bars, closes = run
    rows = len(bars["lob_vector.spread.value"])
    stale = np.isnan(closes["raw"][:rows]) & (np.arange(rows) > WINDOW)
    assert stale.any()
    for name in OF_THE_BOOK:
        assert np.isnan(bars[f"lob_vector.{name}.value"][stale]).all()
        assert (bars[f"lob_vector.{name}.quality"][stale] & BIT["stale"] != 0).all()
    for name in OTHERS:
        assert np.isfinite(bars[f"lob_vector.{name}.value"][stale]).all()
