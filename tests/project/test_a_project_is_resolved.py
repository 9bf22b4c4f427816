"""Opening a project resolves every name in it: the walkthrough's files, unchanged, say so."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from qf.errors import QuantflowError
from qf.project.feature_types import TypeBook
from qf.project.graphs import feature_graphs
from qf.project.opening import open_project, read_project
from qf.project.scaffold import CaptureChoice, draft_project, templates, write_project

FIELDS = {"base": "BTC", "quote": "USDT", "asset_type": "spot", "tick_size": "0.01"}
CAPTURE = CaptureChoice(
    "btcusdt_capture",
    "binance_spot",
    "BTCUSDT",
    "data/*.gz",
    "ns",
    {**FIELDS, "lot_size": "0.00001"},
)


@pytest.fixture
def walkthrough(shared, tmp_path):
    folder = tmp_path / "breakout_alpha"
    source = shared / "walkthrough" / "breakout_alpha"
    write_project(folder, draft_project("breakout_alpha", "crypto", source, CAPTURE))
    return folder


@pytest.fixture
def crypto(tmp_path):
    folder = tmp_path / "crypto_project"
    write_project(folder, draft_project(folder.name, "crypto"))
    return folder


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_walkthroughs_files_load_unchanged(walkthrough):
    project = open_project(walkthrough, environment={})
    assert [spec.clock for spec in project.bars] == [
        "dollar_k_50000",
        "imbalance_k_10",
        "tick_k_50",
        "run_w_10",
    ]
    assert [label.name for label in project.labels] == [
        "triple_barrier_20_10bp",
        "triple_barrier_50_5bp",
    ]
    assert all(label.clocks == ("dollar_k_50000",) for label in project.labels)
    (found,) = project.feature_sets
    assert found.bar == "dollar_k_50000" and len(found.features) == 15
    assert found.table == "feature_vectors_microstructure_breakout"
    assert project.micro_batch_size == 200_000
    assert project.snapshots.period_ns == 500_000_000 and project.snapshots.depth_levels == 20
    assert [row.name for row in project.local.engines] == ["duckdb", "kafka"]
    assert str(project.local.credentials["cryptohftdata"]["key"]) == "***"
    assert project.costs.round_trip == pytest.approx(0.003)
    assert project.cdm_schema == "breakout_alpha_cdm"
    provider = project.providers[0]
    assert (provider.kind, provider.time_unit, provider.path) == ("capture", "ns", "data/*.gz")


def test_a_features_treatment_is_what_its_set_says(walkthrough):
    found = open_project(walkthrough, environment={}).feature_sets[0]
    delta = found.feature("cumulative_delta")
    assert (delta.bar, delta.mode, delta.aggregation) == ("imbalance_k_10", "tick", "mean")
    assert delta.params == {"window": 200} and delta.warmup_bars == 100
    assert delta.normalization.method == "rolling_zscore" and delta.normalization.window == 100
    assert delta.normalization.clip == (-5, 5)
    assert delta.staleness is not None
    assert (delta.staleness.ttl_ms, delta.staleness.half_life_ms) == (5000, 5000)
    snr = found.feature("breakout_snr")
    assert (snr.mode, snr.bindings) == ("bar", {"signal": "breakout_strength"})
    assert snr.staleness is None and snr.group == "quality"
    correlation = found.feature("momentum_autocorr")
    assert correlation.params == {"lag": 10, "window": 100}, "the default window is 10 lags"
    order = [feature.name for feature in found.ordered()]
    assert order.index("breakout_strength") < order.index("breakout_snr")
    assert sorted(order) == sorted(feature.name for feature in found.features)


def test_a_projects_own_type_wins_and_the_project_says_so(walkthrough):
    project = open_project(walkthrough, environment={})
    own = project.feature_types["cumulative_volume_delta"]
    assert not own.library and own.place.source.startswith(".definitions")
    assert any("cumulative_volume_delta" in note for note in project.notes)


def test_every_formula_of_the_walkthrough_compiles(walkthrough):
    project = open_project(walkthrough, environment={})
    graphs = feature_graphs(project, project.feature_sets[0])
    assert len(graphs) == 15
    assert graphs["order_flow_imbalance"].levels == 5
    assert graphs["breakout_snr"].clock == "dollar_k_50000"
    assert {name for name, graph in graphs.items() if graph.book} == {
        "order_flow_imbalance",
        "liquidity_vacuum_score",
        "liquidity_regime",
        "spread_bps",
        "slippage_proxy",
    }


@pytest.mark.parametrize("name", templates())
def test_every_template_is_a_sound_project(name, tmp_path):
    write_project(tmp_path / "p", draft_project("p", name))
    project, problems = read_project(tmp_path / "p", environment={})
    assert problems == [] and project is not None
    assert [provider.kind for provider in project.providers] == ["simulated"], "works offline"
    for found in project.feature_sets:
        assert len(feature_graphs(project, found)) == len(found.features) > 0
    assert not any("below the round-trip" in note for note in project.notes)


def test_a_project_is_frozen(crypto):
    project = open_project(crypto, environment={})
    with pytest.raises(dataclasses.FrozenInstanceError):
        project.name = "other"


def test_the_hash_of_the_definitions_is_of_their_content(crypto, tmp_path):
    first = open_project(crypto, environment={}).definitions_hash
    shutil.copytree(crypto, tmp_path / "elsewhere")
    assert open_project(tmp_path / "elsewhere", environment={}).definitions_hash == first
    local = crypto / ".local_config.yml"
    local.write_text(local.read_text() + "# a remark\n")
    assert open_project(crypto, environment={}).definitions_hash == first, "not of the secrets"
    edit(crypto / "quantflow_project.yml", "threshold: 50000", "threshold: 50001")
    edit(crypto / "quantflow_project.yml", "bar: dollar_k_50000", "bar: dollar_k_50001")
    assert open_project(crypto, environment={}).definitions_hash != first


def test_all_problems_are_found_at_once(crypto):
    edit(crypto / "quantflow_project.yml", "count: 50", "count: 0")
    edit(crypto / "quantflow_project.yml", "type: triple_barrier", "type: triple_barier")
    edit(crypto / ".definitions/instruments.yml", "base: BTC", "bass: BTC")
    _, problems = read_project(crypto, environment={})
    assert [error.code for error in problems] == ["QF401", "QF412", "QF210"]
    with pytest.raises(QuantflowError) as caught:
        open_project(crypto, environment={})
    assert str(caught.value) == str(problems[0])


def test_options_that_differ_from_the_default_are_part_of_a_clocks_name(crypto):
    edit(
        crypto / "quantflow_project.yml",
        "    - { type: run, window: 10 }\n",
        "    - { type: run, window: 10 }\n"
        "    - { type: dollar, threshold: 50000, overflow: carry }\n"
        "    - { type: volume, threshold: 0.5 }\n"
        "    - { type: imbalance, k: 10, of: ticks }\n",
    )
    clocks = [spec.clock for spec in open_project(crypto, environment={}).bars]
    assert clocks[4:] == ["dollar_k_50000_carry", "volume_k_0p5", "imbalance_k_10_ticks"]


def test_a_rule_in_bar_types_means_all_its_clocks(crypto):
    path = crypto / "quantflow_project.yml"
    edit(
        path,
        "    - { type: run, window: 10 }\n",
        "    - { type: run, window: 10 }\n    - { type: dollar, threshold: 9 }\n",
    )
    assert open_project(crypto, environment={}).labels[0].clocks == ("dollar_k_50000", "dollar_k_9")
    edit(path, "bar_types: [dollar]", "bar_types: [dollar_k_9]")
    assert open_project(crypto, environment={}).labels[0].clocks == ("dollar_k_9",)


def test_two_files_defining_one_type_are_refused(crypto):
    folder = crypto / ".definitions/feature_types"
    text = (
        "name: mine\ndescription: A recipe.\ndimension: signal\n"
        "required_inputs: [cdm_trade_enriched.price]\noutput_column: mine\nformula: price\n"
    )
    (folder / "one.yml").write_text(text)
    (folder / "two.yml").write_text(text)
    _, problems = read_project(crypto, environment={})
    assert [error.code for error in problems] == ["QF231"]
    assert "one.yml" in problems[0].sentence and "two.yml" in problems[0].sentence


def test_later_sections_are_accepted_as_far_as_they_are_known(crypto):
    path = crypto / "quantflow_project.yml"
    path.write_text(path.read_text() + "sinks:\n  - { name: out, type: kafka, topic: x }\n")
    (sink,) = open_project(crypto, environment={}).sinks
    assert (sink.name, sink.type, sink.options) == ("out", "kafka", {"topic": "x"})


def test_every_library_type_says_what_it_is():
    problems: list[QuantflowError] = []
    book = TypeBook(None, problems)
    types = [book.get(name) for name in book.names()]
    assert problems == [] and len(types) >= 15
    for found in types:
        assert found is not None and found.library
        assert found.unit and found.range and found.source and found.description.endswith(".")
        assert all(spec.description for spec in found.parameters)
        assert f"/{found.dimension}/" in found.place.source
