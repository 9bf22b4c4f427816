"""A bad regime table is refused at its place; a project's table and an instrument's edges win."""

from __future__ import annotations

import re

import pytest

from house.walk import ROOT
from qf.project.graphs import feature_graphs, tables
from qf.project.opening import read_project
from qf.project.regime_files import read_regimes
from qf.project.scaffold import draft_project, write_project
from qf.store.duck import Store
from qf.store.read import Reader
from qf.store.record import RunRecord

GOOD = """\
name: heat
of: a measure
states:
  - { name: cold, edges: [null, 1], factor: 1, safe_to_trade: true }
  - { name: warm, edges: [1, 2], factor: 0.5, safe_to_trade: true }
  - { name: hot, edges: [2, null], factor: 0, safe_to_trade: false }
"""
INSTRUMENT = "instruments:\n  - { symbol: BTCUSDT, edges: [3, 4] }\n"

# what is replaced, by what, code, what the sentence says, the line
BAD = [
    ("[1, 2]", "[1.5, 2]", "QF253", "1 <= value < 1.5 is in no state", 5),
    ("[1, 2]", "[0.5, 2]", "QF254", "in two states, cold and warm", 5),
    ("[1, 2]", "[2, 1]", "QF255", "warm holds nothing", 5),
    ("[1, 2]", "[1, 1]", "QF255", "warm holds nothing", 5),
    ("[null, 1]", "[0, 1]", "QF256", "values below 0", 4),
    ("[2, null]", "[2, 9]", "QF256", "values from 9", 6),
    ("[2, null]", "[2, .inf]", "QF265", "inf is no edge", 6),
    ("[1, 2]", "[.nan, 2]", "QF265", "nan is no edge", 5),
    ("name: warm", "name: cold", "QF258", "'cold' is named twice", 5),
    ("factor: 0,", "factor: -1,", "QF213", "factor must be at least 0", 6),
    ("safe_to_trade: false", "safe_to_trade: true", "QF259", "hot has factor 0", 6),
    ("safe_to_trade: false", "safe_to_trade: 1", "QF213", "true or false", 6),
    ("of: a measure", "off: a measure", "QF210", "unknown key 'off'", 2),
    ("edges: [1, 2]", "edge: [1, 2]", "QF210", "unknown key 'edge'", 5),
    ("edges: [1, 2]", "edges: [1, 2, 3]", "QF213", "takes 2 items", 5),
    (GOOD[GOOD.index("states") :], "", "QF266", "has no states", 1),
    ("[3, 4]", "[3]", "QF263", "has 1 edges, the table has 2", 8),
    ("[3, 4]", "[4, 3]", "QF264", "3 follows 4", 8),
    ("[3, 4]", "[3, 4], factors: [1, 1]", "QF263", "has 2 factors, the table has 3", 8),
    ("[3, 4]", "[3, 4], factors: [1, 0, 0]", "QF259", "warm has factor 0", 8),
]


def put(folder, name, text):
    path = folder / ".definitions" / "regimes" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(("old", "new", "code", "says", "line"), BAD)
def test_a_bad_table_is_refused_at_its_place(tmp_path, old, new, code, says, line):
    text = (GOOD + INSTRUMENT).replace(old, new, 1)
    assert text != GOOD + INSTRUMENT
    put(tmp_path, "heat.yml", text)
    problems = []
    assert "heat" not in read_regimes(tmp_path, problems)[0]
    error = next(each for each in problems if each.code == code)
    assert says in error.sentence
    assert error.place.source == ".definitions/regimes/heat.yml" and error.place.line == line
    assert error.hint or error.near or code in ("QF213", "QF257", "QF258", "QF264")


def test_the_good_table_is_read_whole(tmp_path):
    put(tmp_path, "heat.yml", GOOD + INSTRUMENT)
    problems = []
    found, files = read_regimes(tmp_path, problems)
    assert problems == [] and len(files) == 1
    table = found["heat"]
    assert [state.name for state in table.states] == ["cold", "warm", "hot"]
    assert table.edges == (1.0, 2.0) and table.at("any", "BTCUSDT").edges == (3.0, 4.0)
    assert table.at("any", "ETHUSDT") is table


def test_a_table_with_too_many_or_too_few_states_is_refused(tmp_path):
    one = GOOD[: GOOD.index("  - { name: cold")]
    states = [f"[{k}, {k + 1}]" for k in range(1, 6)]
    for edges in (["[null, null]"], ["[null, 1]", *states, "[6, null]"]):
        rows = [
            f"  - {{ name: s{k}, edges: {each}, factor: 1, safe_to_trade: true }}\n"
            for k, each in enumerate(edges)
        ]
        put(tmp_path, "heat.yml", one + "".join(rows))
        problems = []
        read_regimes(tmp_path, problems)
        assert [error.code for error in problems] == ["QF257"]


def test_two_files_of_one_name_are_refused(tmp_path):
    put(tmp_path, "a.yml", GOOD)
    put(tmp_path, "b.yml", GOOD)
    problems = []
    read_regimes(tmp_path, problems)
    assert [error.code for error in problems] == ["QF231"]


def test_the_venues_own_row_goes_before_the_symbols(tmp_path):
    rows = "instruments:\n  - { symbol: BTCUSDT, edges: [3, 4] }\n"
    rows += "  - { venue: binance_usdm, symbol: BTCUSDT, edges: [7, 8] }\n"
    put(tmp_path, "heat.yml", GOOD + rows)
    table = read_regimes(tmp_path, [])[0]["heat"]
    assert table.at("binance_usdm", "BTCUSDT").edges == (7.0, 8.0)
    assert table.at("binance_spot", "BTCUSDT").edges == (3.0, 4.0)


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "regime_project"
    write_project(folder, draft_project(folder.name, "crypto"))
    examples = re.findall(
        r"```yaml\n# \.definitions/regimes/(\S+)\n(.*?)```",
        (ROOT / "docs/regimes.md").read_text(),
        re.DOTALL,
    )
    assert len(examples) == 2
    for name, text in examples:
        put(folder, name, text)
    return folder


def test_the_documented_examples_are_read_and_reach_the_formulas_of_their_instrument(project):
    found, problems = read_project(project, environment={})
    assert problems == [] and found is not None
    assert any("PEPEUSDT" in note for note in found.notes)
    assert {path.name for path in found.files} >= {"funding.yml", "spread_bps.yml"}
    for instrument, edges, factors in (
        (("", ""), (5.0, 20.0), [1.0, 0.7, 0.4]),
        (("binance_spot", "DOGEUSDT"), (2.0, 8.0), [1.0, 0.7, 0.4]),
        (("binance_usdm", "DOGEUSDT"), (5.0, 20.0), [1.0, 0.7, 0.4]),
        (("binance_usdm", "PEPEUSDT"), (10.0, 40.0), [1.0, 0.6, 0.2]),
    ):
        tick, bars = tables(found, instrument)
        for each in (tick, *bars.values()):
            table = each.regimes["spread_bps"]
            assert table.edges == edges
            assert [state.factor for state in table.states] == factors
        assert "funding" in tick.regimes and "vpin_raw" in tick.regimes


def test_a_feature_is_compiled_with_the_edges_of_its_instrument(project):
    features = "name: mine\nregime_features:\n  - { name: spread, type: spread_regime }\n"
    features += "  - { name: money, type: regime_safe_to_trade, inputs: [spread],"
    features += " params: { regime: funding } }\n"
    (project / ".definitions" / "features" / "mine.yml").write_text(features)
    path = project / "quantflow_project.yml"
    path.write_text(path.read_text().replace("type: microstructure_breakout", "type: mine"))
    found, problems = read_project(project, environment={})
    assert problems == []
    (own,) = [each for each in found.feature_sets if each.type == "mine"]
    edges = {}
    for symbol in ("BTCUSDT", "DOGEUSDT", "PEPEUSDT"):
        graphs = feature_graphs(found, own, instrument=("binance_spot", symbol))
        edges[symbol] = re.findall(r"edge_\d=([\d.]+)", graphs["spread"].written)
        assert "edge_1=-3" in graphs["money"].written
    assert edges == {"BTCUSDT": ["5", "20"], "DOGEUSDT": ["2", "8"], "PEPEUSDT": ["10", "40"]}


def test_an_edited_table_is_another_definition(project):
    before, _ = read_project(project, environment={})
    path = project / ".definitions" / "regimes" / "funding.yml"
    path.write_text(path.read_text().replace("[3, null]", "[4, null]").replace(", 3]", ", 4]"))
    after, problems = read_project(project, environment={})
    assert problems == []
    assert before.definitions_hash != after.definitions_hash


def test_the_view_decodes_every_code(project, tmp_path):
    found, _ = read_project(project, environment={})
    path = tmp_path / "db" / "qf.duckdb"
    path.parent.mkdir()
    with Store(path, "some_project") as store:
        for _ in range(2):  # a second run makes the view anew
            with store.change(RunRecord("run")) as change:
                change.name_regimes(found.regimes)
        assert "regime_codes" not in store.names()
    rows = Reader(path, "some_project").sql(
        "SELECT regime, venue, symbol, code, state, lower, upper, factor, safe_to_trade"
        " FROM some_project_feature.regime_codes WHERE regime = 'spread_bps'"
        " ORDER BY symbol NULLS FIRST, code"
    )
    assert rows.rows() == [
        ("spread_bps", None, None, 0, "tight", None, 5.0, 1.0, True),
        ("spread_bps", None, None, 1, "normal", 5.0, 20.0, 0.7, True),
        ("spread_bps", None, None, 2, "wide", 20.0, None, 0.4, True),
        ("spread_bps", "binance_spot", "DOGEUSDT", 0, "tight", None, 2.0, 1.0, True),
        ("spread_bps", "binance_spot", "DOGEUSDT", 1, "normal", 2.0, 8.0, 0.7, True),
        ("spread_bps", "binance_spot", "DOGEUSDT", 2, "wide", 8.0, None, 0.4, True),
        ("spread_bps", None, "PEPEUSDT", 0, "tight", None, 10.0, 1.0, True),
        ("spread_bps", None, "PEPEUSDT", 1, "normal", 10.0, 40.0, 0.6, True),
        ("spread_bps", None, "PEPEUSDT", 2, "wide", 40.0, None, 0.2, True),
    ]
