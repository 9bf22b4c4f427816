"""An edit costs what it touches: the rest is kept, and the run says so."""

from __future__ import annotations

import pytest

from qf.project import open_project
from qf.store.read import Reader
from tests.runs.projects import OP, copied, edit, hashes, make, run, said

FEATURES = ".definitions/features/small.yml"
EDITS = {
    "one feature": (FEATURES, "params: { window: 20 }", "params: { window: 21 }"),
    "how a feature ages": (FEATURES, "ttl_ms: 60000", "ttl_ms: 30000"),
    "an op": (
        ".definitions/ops/twice.yml",
        OP.format(formula="x + x"),
        OP.format(formula="x * 2.5"),
    ),
    "a bar clock": ("quantflow_project.yml", "seconds: 60", "seconds: 30"),
    "a label": ("quantflow_project.yml", "horizon: 5", "horizon: 7"),
    "the snapshots": ("quantflow_project.yml", "period_seconds: 5", "period_seconds: 2"),
}
KEPT = {
    "one feature": (
        "cdm_trade_enriched",
        "clocks tick_k_50, time_s_60",
        "feature speed",
        "label next",
    ),
    "how a feature ages": ("cdm_trade_enriched", "features pressure, speed", "label next"),
    "an op": ("cdm_trade_enriched", "feature pressure", "label next"),
    "a bar clock": ("cdm_trade_enriched", "clock tick_k_50", "feature pressure", "label next"),
    "a label": ("cdm_trade_enriched", "features pressure, speed", "clocks"),
    "the snapshots": ("cdm_trades", "cdm_bbo"),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_gives_the_tables_of_a_fresh_run_and_keeps_the_rest(
    captures, ready, tmp_path, what
):
    file, old, new = EDITS[what]
    folder = copied(ready, tmp_path / "edited" / "small")
    fresh = make(tmp_path / "fresh" / "small", captures, ready)
    for each in (folder, fresh):
        edit(each, file, old, new)
        if what == "a bar clock":
            edit(each, FEATURES, "time_s_60", "time_s_30")
    done = said(run(folder))
    kept = done.partition("kept ")[2]
    print(done)
    for name in KEPT[what]:
        assert name in kept, name
    run(fresh)
    assert hashes(folder) == hashes(fresh)


def test_an_edit_and_new_events_at_once_equal_a_fresh_run(captures, ready, tmp_path):
    folder = make(tmp_path / "edited" / "small", captures, ready)
    fresh = copied(ready, tmp_path / "fresh" / "small")
    middle = run(fresh).symbols[0].tape.first_time + 20 * 60_000_000_000
    run(folder, end=middle)
    for each in (folder, fresh):
        edit(each, *EDITS["one feature"])
    done = said(run(folder))
    assert "computed feature pressure" in done and "went on with" in done
    run(fresh)
    assert hashes(folder) == hashes(fresh)


def test_another_engine_makes_features_anew_and_nothing_else(ready, at_once, tmp_path):
    folder = copied(ready, tmp_path / "small")
    done = said(run(folder, engine="polars"))
    assert "computed features pressure, speed, feature_vectors_small" in done
    assert "kept cdm_bbo, cdm_trades, cdm_lob_incremental" in done
    assert said(run(folder, engine="polars")).startswith("kept everything")
    run(folder)
    assert hashes(folder) == at_once


def test_what_is_gone_from_the_project_is_dropped_and_said(ready, tmp_path):
    folder = copied(ready, tmp_path / "small")
    edit(folder, FEATURES, "    staleness: { ttl_ms: 60000, action: decay }\n", "")
    edit(folder, FEATURES, "    bar: time_s_60\n", "")
    edit(folder, "quantflow_project.yml", "    - { type: time, seconds: 60 }\n", "")
    edit(folder, "quantflow_project.yml", "raw, bbo, enriched", "enriched")
    done = said(run(folder))
    assert "the bar clock time_s_60 is gone from the project: its 39 rows were removed" in done
    assert "the feature speed of small on time_s_60 is gone" in done
    assert "cdm_trades is not among the project's tables any more" in done
    project = open_project(folder)
    tables = Reader(project.paths.database, project.name).tables()
    assert "cdm_time_bars" not in tables and tables["cdm_trades"] > 0
    edit(folder, "quantflow_project.yml", "name: small, type: small", "name: other, type: small")
    assert "feature_vectors_small on tick_k_50 is gone" in said(run(folder))
    assert "feature_vectors_small" not in Reader(project.paths.database, project.name).tables()
    assert "gone" not in said(run(folder))


def test_every_row_is_of_a_run_and_the_runs_say_of_what(ready, tmp_path):
    folder = copied(ready, tmp_path / "small")
    edit(folder, *EDITS["one feature"])
    second = run(folder)
    project = open_project(folder)
    runs = Reader(project.paths.database, project.name).frame("qf_runs")
    newest = runs.filter(runs["run_number"] == 2)
    assert set(newest["table_name"]) == {"features", "feature_vectors_small"}
    assert set(newest["run_id"]) == {second.run_id}
    counts = second.counts
    newest_of: dict[tuple, int] = {}
    for row in runs.sort("run_number").to_dicts():
        part = (row["table_name"], row["bar_clock"], row["feature_name"], row["label_name"])
        newest_of[part] = row["row_count"]
    for table in set(counts) - {"instruments"}:
        assert sum(n for part, n in newest_of.items() if part[0] == table) == counts[table], table
    assert runs["row_hash"].null_count() == 0 and runs["input_hash"].null_count() == 0
