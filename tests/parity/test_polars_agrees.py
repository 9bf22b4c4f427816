"""The Polars engine writes the machine's rows: values within tolerance, the rest exactly."""

from __future__ import annotations

import polars as pl
import pytest

from qf.engines.run import run_project
from qf.op import find
from qf.project import open_project
from qf.schema import BIT
from qf.store.read import Reader
from tests.parity.polars_project import make

TIMES = ["feature_time", "quality"]
KEY = ["bar_clock", "bar_id", "feature_name"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Give the project with every way to make a feature."""
    return open_project(make(tmp_path_factory.mktemp("polars") / "every_way"))


@pytest.fixture(scope="module")
def both(project):
    """Give each engine's result and tables."""
    found = {}
    for engine in ("machine", "polars"):
        result = run_project(project, engine=engine)
        reader = Reader(project.paths.database, project.name)
        found[engine] = result, reader.features("every_way").collect(), reader.vectors("every_way")
        found[engine] = (*found[engine][:2], found[engine][2].collect(), reader.tables())
    return found


def test_every_feature_agrees_within_its_tolerance(both):
    agreements = both["polars"][0].symbols[0].agreements
    for each in agreements:
        print(each.form, each.line())
    assert len(agreements) == 2 * len(both["machine"][1]["feature_name"].unique())
    assert [each.line() for each in agreements if not each.agrees] == []
    with_values = [each for each in agreements if each.form == "features" and each.values > 0]
    assert len(with_values) == len(agreements) // 2


def test_the_features_table_has_the_same_rows(both):
    machine, mine = (both[engine][1] for engine in ("machine", "polars"))
    assert mine.select(KEY + TIMES).equals(machine.select(KEY + TIMES))
    assert mine["value"].is_null().equals(machine["value"].is_null())
    assert mine["quality"].n_unique() > 3  # the faults left their marks
    full = pl.col("quality") & BIT["window_full"] != 0
    assert (
        0 < len(mine.filter(full)) < len(mine.filter(pl.col("feature_name").str.contains("ring")))
    )


def test_the_vectors_table_has_the_same_rows(both):
    machine, mine = (both[engine][2] for engine in ("machine", "polars"))
    exact = [name for name in machine.columns if name.endswith("_age_ms")]
    exact += ["bar_id", "feature_time", "quality"]
    assert mine.columns == machine.columns
    assert mine.select(exact).equals(machine.select(exact))
    for name in machine.columns:
        assert mine[name].is_null().equals(machine[name].is_null()), name


def test_the_tables_that_polars_does_not_make_are_written_all_the_same(both):
    rows = {engine: dict(found[3]) for engine, found in both.items()}
    # The record has a row per part and run; the second run kept what Polars does not make.
    assert rows["polars"].pop("qf_runs") > rows["machine"].pop("qf_runs")
    assert rows["polars"] == rows["machine"]
    assert both["polars"][0].counts == both["machine"][0].counts


def test_the_summary_tells_how_far_the_engines_agree(both):
    lines = both["polars"][0].lines()
    assert any("polars flow_0: " in line and "unequal 0.000%" in line for line in lines)
    assert any("columns agree, ages and quality too" in line for line in lines)
    assert not any(line.startswith("  polars") for line in both["machine"][0].lines())


@pytest.mark.parametrize(
    ("family", "name", "wrong"),
    [
        ("aggregations", "mean", lambda x: x.max()),
        ("ops", "ewm_mean", lambda x, alpha: x),
        ("staleness", "decay", lambda x, age, ttl_ms, half_life_ms: x),
        ("aggregations", "bit_or", lambda x: x.last()),
        ("normalizers", "rank", lambda x, window: x.shift(-1)),
    ],
)
def test_a_wrong_rule_is_seen_and_named(project, monkeypatch, family, name, wrong):
    monkeypatch.setitem(find(name, family).rules, "polars", wrong)
    # Everything is computed again, over the tape that is there: reading it is no part of this.
    monkeypatch.setattr("qf.engines.sources.forget", lambda *_: None)
    result = run_project(project, engine="polars", stages=["feature"], force=True)
    apart = [each for each in result.symbols[0].agreements if not each.agrees]
    assert apart
    assert any(each.line() in line for each in apart for line in result.lines())
    assert all("bar " in each.line() or "quality" in each.line() for each in apart)
    assert isinstance(result.json()["symbols"][0]["agreements"][0]["unequal"], int)
    assert pl.DataFrame(result.json()["symbols"][0]["agreements"]).height > 0
