"""Five simulated days through the walkthrough's project: every feature lives."""

from __future__ import annotations

import polars as pl

from qf.project.scaffold import draft_project, write_project
from tests.acceptance.projects import run_folder
from tests.acceptance.test_walkthrough import CLOCKS, SET

# As few trades as give the rarest bars their thousand values: more days' worth of the same.
FIVE_DAYS = {"minutes: 30": "minutes: 7200", "intensity: 30": "intensity: 0.6"}


def test_each_feature_has_a_thousand_values_and_is_not_constant(shared, tmp_path):
    folder = tmp_path / "breakout_alpha"
    source = shared / "walkthrough" / "breakout_alpha"
    write_project(folder, draft_project("breakout_alpha", "crypto", source))
    path = folder / ".definitions" / "feed_providers" / "simulated_market.yml"
    text = path.read_text()
    for old, new in FIVE_DAYS.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text + "daily_volatility: 0.025\n")
    path = folder / "quantflow_project.yml"
    text = path.read_text()
    # No feature reads the snapshots: of a market this calm they would be 864,000 of one book.
    assert "period_seconds: 0.5" in text
    path.write_text(text.replace("period_seconds: 0.5", "period_seconds: 30"))
    each = run_folder(folder)
    found = (
        each.reader.features(SET)
        .group_by("feature_name")
        .agg(
            rows=pl.len(),
            values=pl.col("value").is_not_null().sum(),
            distinct=pl.col("value").drop_nulls().n_unique(),
        )
        .sort("feature_name")
        .collect()
    )
    for row in found.iter_rows(named=True):
        print(row)
        assert row["values"] >= 1_000, row
        assert row["distinct"] > 1, row
    assert set(found["feature_name"]) == set(CLOCKS)
    # The planted gaps, silences and repeats are in the accounting, not in the values.
    (symbol,) = each.result.symbols
    assert symbol.accounts["depth"]["holes"] > 0
    assert symbol.accounts["trade"]["duplicate"] > 0
