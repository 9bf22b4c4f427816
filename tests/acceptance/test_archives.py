"""Archives through the same engine: LOBSTER's prior best, recorded snapshots, a run in parts."""

from __future__ import annotations

import polars as pl

from qf.clock import parse_time
from qf.engines.run import run_project
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.schema import BIT
from qf.store.duck import Store
from tests.acceptance.projects import make_project, run_folder

LOBSTER = """name: lobster
kind: files
format: lobster
venue: lobster
path: "{path}"
"""
AMZN = """instruments:
  - { venue: lobster, symbol: AMZN, base: AMZN, quote: USD, asset_type: spot,
      tick_size: "0.01", lot_size: "1" }
"""
EXACT = "state_engine:\n  enrich: { quote_asof: arrival, book_ttl_ms: 3600000 }"
MIDNIGHT = parse_time("2024-08-09")


def test_every_visible_execution_is_at_the_prior_best_of_its_side(shared_data, tmp_path):
    folder = tmp_path / "amzn"
    write_project(folder, draft_project("amzn", "equity"))
    (archive,) = (shared_data / "lobster").glob("*.zip")
    definitions = folder / ".definitions"
    (definitions / "feed_providers" / "lobster.yml").write_text(LOBSTER.format(path=archive))
    (definitions / "instruments.yml").write_text(AMZN)
    path = folder / "quantflow_project.yml"
    text = path.read_text().replace("[simulated_market]", "[lobster]").replace("ACME", "AMZN")
    path.write_text(text.replace("state_engine:", EXACT))
    enriched = run_folder(folder).reader.frame("cdm_trade_enriched")
    visible = enriched.filter(pl.col("quality") & BIT["non_market"] == 0).with_columns(
        bid=pl.col("bid_price").list.get(0), ask=pl.col("ask_price").list.get(0)
    )
    best = pl.when(pl.col("direction") == 1).then(pl.col("ask")).otherwise(pl.col("bid"))
    right = visible.filter(pl.col("price") == best)
    print(f"LOBSTER AMZN: {len(right):,} of {len(visible):,} at the prior best of the side")
    assert (len(right), len(visible)) == (8_974, 8_974)


def test_two_days_run_apart_equal_both_at_once(shared, shared_data, tmp_path):
    source = shared / "walkthrough" / "breakout_alpha"
    found = []
    for name, spans in (
        ("once", [(None, None)]),
        ("apart", [(None, MIDNIGHT), (MIDNIGHT, None)]),
        ("again", [(None, None), (MIDNIGHT, None), (None, MIDNIGHT)]),
    ):
        folder = tmp_path / name / "breakout_alpha"
        folder.parent.mkdir()
        project = open_project(make_project(folder, shared_data, "spot", source))
        for start, end in spans:
            run_project(project, start=start, end=end)
        with Store(project.paths.database, project.name) as store:
            found.append(store.hashes())
    assert found[0] == found[1] == found[2]


def test_a_source_that_is_not_named_is_counted_and_not_used(shared, shared_data, tmp_path):
    source = shared / "walkthrough" / "breakout_alpha"
    edits = {"sources: [trades, book, bbo]": "sources: [trades, book]"}
    folder = make_project(tmp_path / "breakout_alpha", shared_data, "spot", source, edits)
    each = run_folder(folder)
    account = each.result.symbols[0].accounts["bbo"]
    assert (account["ignored"], account["applied"]) == (account["received"], 0)
    enriched = each.reader.frame("cdm_trade_enriched").drop_nulls("mid")
    # Depth alone, without the ticker over it: the sides it recovers are the known fewer.
    right = (enriched["price"] - enriched["mid"]).sign() == enriched["direction"]
    print(f"spot, depth alone: sides recovered {right.mean():.2%}")
    assert 0.965 < right.mean() < 0.98


def test_a_capture_without_its_snapshot_has_no_book_and_says_so(shared, shared_data, tmp_path):
    source = shared / "walkthrough" / "breakout_alpha"
    edits = {"btcusdt_*.gz": "btcusdt_20240809.gz"}
    folder = make_project(tmp_path / "breakout_alpha", shared_data, "spot", source)
    provider = folder / ".definitions" / "feed_providers" / "btcusdt_capture.yml"
    (old, new), *_ = edits.items()
    provider.write_text(provider.read_text().replace(old, new))
    each = run_folder(folder)
    account = each.result.symbols[0].accounts["depth"]
    assert account["applied"] == 0
    assert account["waiting"] + account["superseded"] == account["received"]
    enriched = each.reader.frame("cdm_trade_enriched")
    assert enriched["mid"].is_null().all()
    assert (enriched["quality"] & BIT["unsynced"] != 0).all()
    assert each.reader.frame("cdm_dollar_bars").height > 0
