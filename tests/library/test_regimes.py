"""Regime tables: what is documented of their states holds in every formula that names them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import qf
from qf.errors import QuantflowError
from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.lower.formula import program_of
from qf.project.regime_files import library_tables
from qf.regime_table import MOST_STATES, names

TABLES = library_tables()
EACH = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))

# table, value, state, factor, safe to trade
CASES = [
    ("vpin_raw", 0.0, "low", 1.0, True),
    ("vpin_raw", 0.2999, "low", 1.0, True),
    ("vpin_raw", 0.3, "medium", 0.5, True),
    ("vpin_raw", 0.5, "high", 0.25, True),
    ("vpin_raw", 0.6999, "high", 0.25, True),
    ("vpin_raw", 0.7, "extreme", 0.0, False),
    ("vpin_raw", 1.0, "extreme", 0.0, False),
    ("vpin_cdf", 0.4999, "low", 1.0, True),
    ("vpin_cdf", 0.5, "medium", 0.5, True),
    ("vpin_cdf", 0.75, "high", 0.25, True),
    ("vpin_cdf", 0.9, "extreme", 0.0, False),
    ("hurst", 0.3999, "mean_reverting", 1.0, True),
    ("hurst", 0.45, "dead_zone", 0.0, False),
    ("hurst", 0.5499, "dead_zone", 0.0, False),
    ("hurst", 0.55, "leaning_to_trend", 0.5, True),
    ("hurst", 0.6001, "trending", 1.0, True),
    ("spread_bps", 4.99, "tight", 1.0, True),
    ("spread_bps", 5.0, "normal", 0.7, True),
    ("spread_bps", 20.01, "wide", 0.4, True),
    ("depth_10bps", 9_999.0, "thin", 0.4, True),
    ("depth_10bps", 50_000.0, "normal", 0.7, True),
    ("depth_10bps", 100_001.0, "thick", 1.0, True),
    ("activity", 0.99, "quiet", 0.5, True),
    ("activity", 5.0, "normal", 0.7, True),
    ("activity", 10.01, "active", 1.0, True),
]


def values_of(function: str, table: str, x) -> np.ndarray:
    found = qf.formula(f'{function}(x, "{table}")', columns=["x"])
    return found.run({"x": np.asarray(x, np.float64)})


@pytest.mark.parametrize(("name", "value", "state", "factor", "safe"), CASES)
def test_the_published_edges_and_factors_hold(name, value, state, factor, safe):
    code = int(values_of("classify", name, [value])[0])
    assert TABLES[name].states[code].name == state
    assert values_of("regime_factor", name, [value])[0] == factor
    assert values_of("regime_safe", name, [value])[0] == float(safe)


@EACH
def test_a_value_is_in_the_one_state_whose_edges_hold_it(table):
    edges = np.array(table.edges)
    x = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
    x = np.concatenate([x, [-1e12, 1e12, -0.0], np.random.default_rng(3).normal(0.0, 30.0, 200)])
    codes = values_of("classify", table.name, x)
    for value, code in zip(x, codes, strict=True):
        holding = [k for k, s in enumerate(table.states) if s.lower <= value < s.upper]
        assert holding == [code] == [table.code(value)]
    factors = [table.states[int(code)].factor for code in codes]
    assert values_of("regime_factor", table.name, x).tolist() == factors
    safe = [float(table.states[int(code)].safe_to_trade) for code in codes]
    assert values_of("regime_safe", table.name, x).tolist() == safe


@EACH
def test_a_missing_value_is_in_no_state(table):
    for function in ("classify", "regime_factor", "regime_safe"):
        assert np.isnan(values_of(function, table.name, [math.nan])).all()


@EACH
def test_a_table_says_what_it_is_and_no_unsafe_state_has_a_size(table):
    assert table.description and table.of and table.source and table.factor_means
    assert 2 <= len(table.states) <= MOST_STATES
    assert table.states[0].lower == -math.inf and table.states[-1].upper == math.inf
    assert all(state.safe_to_trade or state.factor == 0.0 for state in table.states)
    assert all(state.meaning for state in table.states)


def test_confidence_is_the_product_of_the_axes_between_a_fifth_and_one():
    spread, depth, pace = [1.0, 9.0, 40.0], [5e5, 5e4, 5e3], [30.0, 3.0, 0.3]
    rows = list(itertools.product(spread, depth, pace))
    text = 'clip(regime_factor(s, "spread_bps") * regime_factor(d, "depth_10bps")'
    text += ' * regime_factor(a, "activity"), 0.2, 1)'
    s, d, a = (np.array(column) for column in zip(*rows, strict=True))
    made = qf.formula(text, columns=["s", "d", "a"]).run({"s": s, "d": d, "a": a})
    factors = itertools.product((1.0, 0.7, 0.4), (1.0, 0.7, 0.4), (1.0, 0.7, 0.5))
    want = [min(1.0, max(0.2, one * two * three)) for one, two, three in factors]
    assert made == pytest.approx(want, abs=1e-15)
    assert made.min() == 0.2 and made.max() == 1.0


def test_toxicity_by_rank_spends_in_each_state_the_share_of_its_edges():
    """Where nothing changes, a rank is uniform: a half, a quarter, .15 and a tenth of the time."""
    x, window = np.random.default_rng(5).normal(0.0, 1.0, 40_000), 200
    text = f'classify(rolling_rank(x, {window}), "vpin_cdf")'
    codes = qf.formula(text, columns=["x"]).run({"x": x})[window:]
    shares = np.bincount(codes.astype(int), minlength=4) / len(codes)
    want = np.array([0.5, 0.25, 0.15, 0.1])
    error = np.sqrt(want * (1.0 - want) / len(codes))  # of independent rows; ranks are nearly so
    assert (np.abs(shares - want) < 4.0 * error + 1.0 / window).all()


def test_the_gate_lets_nothing_through_where_the_state_is_unknown():
    gate = qf.formula('where(regime_safe(x, "vpin_raw"), 1, 0)', columns=["x"])
    made = gate.run({"x": np.array([0.1, 0.8, math.nan])})
    assert made[:2].tolist() == [1.0, 0.0] and np.isnan(made[2])


@pytest.mark.parametrize("given", ['"vpin_row"', "vpin_raw", "3", '"5s"'])
def test_an_unknown_table_is_named_with_the_known_ones(given):
    with pytest.raises(QuantflowError) as caught:
        compile_formula(f"1 + classify(price, {given})", table=ColumnTable.tick())
    error = caught.value
    assert error.code == "QF142" and error.place is not None
    assert "vpin_raw" in error.hint and given.strip('"') in error.sentence
    assert error.place.column == len("1 + classify(price, ") + 1
    if given == '"vpin_row"':
        assert error.near[0] == "vpin_raw"


def test_the_library_has_the_tables_of_its_files():
    assert names() == tuple(sorted(TABLES))


def test_another_edge_is_another_plan():
    table = TABLES["spread_bps"]
    own = ColumnTable.tick(5)
    moved = {"spread_bps": type(table)(**{**vars(table), "states": table.states[:2]})}
    plans = []
    for regimes in (TABLES, moved):
        columns = type(own)(**{**vars(own), "regimes": regimes})
        graph = compile_formula('classify(spread_bps, "spread_bps")', table=columns)
        plans.append(program_of({"value": graph})[0].plan_hash)
    assert plans[0] != plans[1]
