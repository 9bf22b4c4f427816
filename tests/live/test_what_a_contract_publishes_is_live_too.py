"""Marks, funding, open interest and forced orders: one definition, three ways to the same numbers.

Batch by the machine, batch by the Polars engine, and a live session; a window of settlements is a
window of bars on a time clock, here of two seconds.
"""

from __future__ import annotations

import json

import pytest

from book.test_what_is_published_stands_beside_trades import simulated
from qf.engines.run import run_project
from qf.engines.sources import sources_of
from qf.live.engine import Settings
from qf.project import open_project
from qf.store.read import Reader
from qf.tape.journal import Frame
from tests.acceptance.projects import run_folder
from tests.live.scene import Machine, live, tables_of

CLOCK = "time_s_2"
TICKS = (
    "perpetual_basis_bps", "mark_premium_bps", "funding_rate", "funding_annualized",
    "liquidation_flow", "liquidation_share", "open_interest_change", "open_interest_turnover",
)  # fmt: skip
BARS = ("funding_zscore", "funding_surprise", "funding_arbitrage", "funding_arbitrage_bps")
SHORT = {"window": 20}
PARAMS = {
    "open_interest_change": {"span": "20s", "patience": "40s"},
    "funding_surprise": {},
    **dict.fromkeys(("liquidation_flow", "liquidation_share", "open_interest_turnover"), SHORT),
    **dict.fromkeys(("funding_zscore", "funding_arbitrage", "funding_arbitrage_bps"), SHORT),
}
ON_TAPE = ("funding", "liquidations", "open_interest")


def make(folder):
    """Write the project: every feature type of a contract, on the seeded futures market."""
    simulated(folder, minutes=4)
    rows = [{"name": name, "type": name, "bar": CLOCK, "bar_aggregation": "last"} for name in TICKS]
    rows += [
        {"name": name, "type": name, "bar": CLOCK, "inputs": ["funding_rate"]} for name in BARS
    ]
    for row in rows:
        row["params"] = PARAMS.get(row["name"], {})
    chosen = {"name": "contract", "mode": "tick_to_bar", "signal_features": rows}
    chosen["normalization"] = {"method": "none", "warmup_bars": 0}
    (folder / ".definitions/features/contract.yml").write_text(json.dumps(chosen))
    tables = ["enriched", "bars", "footprints", "features", "vectors", *ON_TAPE]
    project = {
        "name": folder.name,
        "version": "1.0.0",
        "feed_providers": ["simulated_market"],
        "symbols": ["BTCUSDT"],
        "state_engine": {"bars": [{"type": "time", "seconds": 2}]},
        "feature_engine": {"features": [{"name": "contract", "type": "contract", "bar": CLOCK}]},
        "tables": tables,
    }
    (folder / "quantflow_project.yml").write_text(json.dumps(project))
    return folder


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Give the project after a run, and its reader."""
    project = open_project(make(tmp_path_factory.mktemp("contract") / "contract"))
    run_project(project)
    return project, Reader(project.paths.database, project.name, project.paths.parquet)


def test_every_feature_has_values_that_move(ran):
    _, reader = ran
    features = reader.frame("features")
    for name in (*TICKS, *BARS):
        values = features.filter(features["feature_name"] == name)["value"].drop_nulls()
        assert len(values) > 40, name
        assert values.n_unique() > 1 or name.startswith("funding_arbitrage"), name
    for name in ON_TAPE:
        assert reader.tables()[f"cdm_{name}"] > 5, name


def test_a_session_makes_the_same_tables(ran, tmp_path):
    project, reader = ran
    wanted = {n: reader.hash(n) for n in reader.tables() if n not in ("instruments", "qf_runs")}
    assert {"cdm_footprints", "cdm_open_interest"} < wanted.keys()
    machine = Machine()
    (source,), _ = sources_of(project, project.symbols[0])
    frames = [Frame(time, hint, payload) for time, payload, hint in source.arrivals()]
    live(machine, project, frames, Settings(epoch_frames=2_000), seed=4)
    shown = tables_of(machine, project, tmp_path)
    assert {name: shown.hash(name) for name in shown.tables()} == wanted


def test_polars_agrees_within_the_declared_tolerances(tmp_path):
    (symbol,) = run_folder(make(tmp_path / "contract"), engine="polars").result.symbols
    features = [row for row in symbol.agreements if row.form == "features"]
    assert len(features) == len(TICKS) + len(BARS)
    for row in symbol.agreements:
        assert row.agrees, row.line()
