"""Stability, quality and regime types: against plain numpy, and where the answer is planted.

Wilder's index is held against his recursion, and against numbers that TA-Lib gave for these bars.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from literature.library_types import values

ROWS = 600


@pytest.fixture(scope="module")
def data():
    draw = np.random.default_rng(41)
    close = 100.0 * np.exp(draw.normal(0.0, 0.01, ROWS).cumsum())
    high, low = close * (1 + 0.01 * draw.random(ROWS)), close * (1 - 0.01 * draw.random(ROWS))
    return {"close": close, "high": high, "low": low, "signal": draw.normal(0.1, 1.0, ROWS)}


def moves(data):
    return np.concatenate([[np.nan], np.diff(np.log(data["close"]))])


def deviation(x, t, window):
    return x[t - window + 1 : t + 1].std(ddof=1)


def of_volatility(data, t):
    spread = [deviation(moves(data), i, 20) for i in range(t - 99, t + 1)]
    return np.std(spread, ddof=1) / np.mean(spread)


def turned_over(data, t):
    part = data["signal"][t - 100 : t + 1]
    return 2 * np.abs(np.diff(part)).sum() / (np.abs(part[1:]) + np.abs(part[:-1])).sum()


def shifted(data, t):
    new, old = data["signal"][t - 49 : t + 1], data["signal"][t - 99 : t - 49]
    return (new.mean() - old.mean()) / math.sqrt((new.var(ddof=1) + old.var(ddof=1)) / 50)


def expansion(data, t):
    ranges = data["high"] - data["low"]
    return ranges[t] / ranges[t - 20 : t].mean() - 1.0


def deepest(data, t):
    part = data["close"][t - 199 : t + 1]
    return (1.0 - part / np.maximum.accumulate(part)).max()


def line(data, t):
    part = np.log(data["close"][t - 49 : t + 1])
    return np.polyfit(np.arange(50), part, 1)[0]


def on_the_line(data, t):
    return np.corrcoef(np.arange(50), np.log(data["close"][t - 49 : t + 1]))[0, 1] ** 2


def shortfall(data, t):
    worst = np.sort(moves(data)[t - 249 : t + 1])
    return -(worst[:12].sum() + 0.5 * worst[12]) / 12.5


EXPECTED = {
    "rolling_volatility_of_volatility": of_volatility,
    "signal_turnover": turned_over,
    "signal_mean_shift": shifted,
    "range_expansion_rate": expansion,
    "volatility_term_structure_slope": lambda d, t: (
        (deviation(moves(d), t, 160) - deviation(moves(d), t, 10)) / (2 * math.log(4))
    ),
    "drawdown": lambda d, t: 1.0 - d["close"][t] / d["close"][t - 199 : t + 1].max(),
    "max_drawdown": deepest,
    "historical_var": lambda d, t: -np.quantile(moves(d)[t - 249 : t + 1], 0.05),
    "historical_expected_shortfall": shortfall,
    "linear_regression_slope": line,
    "linear_regression_r2": on_the_line,
    "trend_tstat": lambda d, t: (
        moves(d)[t - 49 : t + 1].mean() / deviation(moves(d), t, 50) * math.sqrt(50)
    ),
    "path_efficiency": lambda d, t: (
        abs(d["close"][t] - d["close"][t - 20]) / np.abs(np.diff(d["close"][t - 20 : t + 1])).sum()
    ),
    "rolling_sortino_ratio": lambda d, t: (
        d["signal"][t - 99 : t + 1].mean()
        / math.sqrt((np.minimum(d["signal"][t - 99 : t + 1], 0.0) ** 2).mean())
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_defaults_are_what_numpy_says(name, data):
    found = values(name, data)
    for t in (300, 451, ROWS - 1):
        assert found[t] == pytest.approx(EXPECTED[name](data, t), rel=1e-8, abs=1e-12)


def resolved(data, t, window, horizon):
    """Return the signals and the returns that are known at row t: the newest is horizon old."""
    ends = np.arange(t - window + 1, t + 1)
    after = data["close"][ends] / data["close"][ends - horizon] - 1.0
    return data["signal"][ends - horizon], after


def test_quality_against_resolved_returns_is_that_of_the_pairs(data):
    pairs = {name: data[name] for name in ("signal", "close")}
    given = {"window": 120, "horizon": 7}
    coefficient = values("rolling_information_coefficient", pairs, **given)
    rate, factor = values("win_rate", pairs, **given), values("profit_factor", pairs, **given)
    sharpe = values("signal_return_sharpe", pairs, **given)
    assert np.isnan(coefficient[:126]).all()
    for t in (126, 300, ROWS - 1):
        signal, after = resolved(data, t, 120, 7)
        ranks = [np.argsort(np.argsort(column)) for column in (signal, after)]
        earned = np.sign(signal) * after
        assert coefficient[t] == pytest.approx(np.corrcoef(*ranks)[0, 1], rel=1e-9)
        assert rate[t] == pytest.approx((earned > 0).mean(), rel=1e-12)
        gain, loss = earned[earned > 0].sum(), -earned[earned < 0].sum()
        assert factor[t] == pytest.approx(gain / loss, rel=1e-9)
        assert sharpe[t] == pytest.approx(earned.mean() / earned.std(ddof=1), rel=1e-8)


def test_no_outcome_is_used_before_it_is_resolved(data):
    pairs = {name: data[name].copy() for name in ("signal", "close")}
    names = ("rolling_information_coefficient", "win_rate", "profit_factor")
    before = [values(name, pairs, window=100, horizon=10) for name in names]
    pairs["close"][401:] *= 3.0
    pairs["signal"][391:] = 0.25  # whose outcomes are not known at row 400
    for name, old in zip(names, before, strict=True):
        new = values(name, pairs, window=100, horizon=10)
        assert np.array_equal(new[:401], old[:401], equal_nan=True)


def test_a_signal_that_knows_is_found_and_one_that_does_not_is_not():
    draw = np.random.default_rng(6)
    steps = draw.normal(0.0, 0.01, 3_001)
    close = 100.0 * np.exp(steps.cumsum())
    knows = np.concatenate([steps[1:], [0.0]]) / 0.01 + draw.normal(0.0, 2.0, 3_001)
    columns = {"signal": knows, "close": close}
    given = {"window": 300, "horizon": 1}
    pearson = 1.0 / math.sqrt(5.0)
    expected = 6.0 / math.pi * math.asin(pearson / 2.0)  # Spearman's of normal pairs
    found = values("rolling_information_coefficient", columns, **given)[300::300]
    assert abs(found.mean() - expected) < 4.0 / math.sqrt(3_000)
    hits = values("win_rate", columns, window=3_000, horizon=1)[-1]
    assert abs(hits - (0.5 + math.asin(pearson) / math.pi)) < 4.0 * 0.5 / math.sqrt(3_000)
    columns["signal"] = draw.normal(size=3_001)
    blind = values("rolling_information_coefficient", columns, **given)[300::300]
    assert abs(blind.mean()) < 4.0 / math.sqrt(3_000)


def test_half_life_and_turnover_of_a_planted_memory():
    draw = np.random.default_rng(8)
    x = np.zeros(50_000)
    for t, step in enumerate(draw.normal(size=49_999), start=1):
        x[t] = 0.9 * x[t - 1] + step
    life = values("signal_half_life", {"signal": x}, window=40_000)[-1]
    planted = -math.log(2) / math.log(0.9)
    error = math.log(2) / (0.9 * math.log(0.9) ** 2) * math.sqrt(0.19 / 40_000)
    assert abs(life - planted) < 4.0 * error
    flips = np.where(np.arange(300) % 2, 1.0, -1.0)
    assert values("signal_turnover", {"signal": flips})[-1] == 2.0
    assert values("signal_turnover", {"signal": np.full(300, 3.0)})[-1] == 0.0
    ranked = values("signal_rank_autocorrelation", {"signal": x[:600] ** 3})[101:]
    plain = values("signal_rank_autocorrelation", {"signal": x[:600]})[101:]
    np.testing.assert_allclose(ranked, plain, atol=1e-12)  # ranks do not see the cube


def test_counts_of_bars():
    signal = np.array([0.0, 2.0, 3.0, np.nan, 4.0, 5.0, -1.0, 6.0])
    found = values("consecutive_above_threshold", {"signal": signal}, threshold=1.0)
    expected = np.array([0.0, 1.0, 2.0, np.nan, 1.0, 2.0, 0.0, 1.0])
    assert np.array_equal(found, expected, equal_nan=True)
    assert values("signal_coverage", {"signal": signal}, window=8)[-1] == 7 / 8
    close = {"close": np.array([1.0, 2.0, 3.0, 2.5, 2.0, 2.9, 3.1, 3.0])}
    under = values("time_under_water", close, window=3)
    assert np.array_equal(under, [np.nan, np.nan, 0, 1, 2, 0, 0, 1], equal_nan=True)


def test_entropy_and_outliers_of_normal_values(data):
    signal = {"signal": np.random.default_rng(2).normal(size=20_000)}
    share = values("signal_outlier_share", signal, window=5_000)[-1]
    assert abs(share - 0.0027) < 4.0 * math.sqrt(0.0027 / 5_000)
    even = {"signal": np.arange(1_000.0)}
    assert values("signal_entropy", even)[-1] == pytest.approx(1.0, abs=1e-3)
    one = np.zeros(1_000)
    one[950] = 1.0
    bits = -(0.01 * math.log(0.01) + 0.99 * math.log(0.99)) / math.log(10)
    assert values("signal_entropy", {"signal": one})[-1] == pytest.approx(bits, rel=1e-9)


def wilder(high, low, window):
    """Return the directional index by the recursion, from the second bar on."""
    up, down = np.diff(high), -np.diff(low)
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    index, rows = math.nan, []
    rise, fall = plus[0], minus[0]
    for t in range(len(up)):
        if t:
            rise += (plus[t] - rise) / window
            fall += (minus[t] - fall) / window
        if rise + fall > 0:
            now = 100.0 * abs(rise - fall) / (rise + fall)
            index = now if math.isnan(index) else index + (now - index) / window
        rows.append(index)
    return np.array(rows)


def test_the_directional_index_is_wilders(data):
    bars = {name: data[name] for name in ("high", "low")}
    found = values("adx_trend_strength", bars)
    np.testing.assert_allclose(found[60:], wilder(**bars, window=14)[59:], rtol=1e-9)


def test_the_directional_index_is_ta_libs_once_its_beginning_is_forgotten(data):
    bars = {name: data[name] for name in ("high", "low")}
    found = values("adx_trend_strength", bars)
    theirs = {500: 10.20439473841833, 550: 17.49228734720025, 599: 16.237985708197336}  # 0.8.2
    for t, value in theirs.items():
        assert found[t] == pytest.approx(value, rel=1e-10)


def test_a_trend_is_strong_and_a_walk_is_not(data):
    up = {"high": 1.01 * np.arange(1.0, 301.0), "low": np.arange(1.0, 301.0)}
    assert values("adx_trend_strength", up)[-1] == pytest.approx(100.0)
    assert values("linear_regression_r2", {"close": np.exp(0.1 * np.arange(100.0))})[-1] > 1 - 1e-9
    walk = values("linear_regression_r2", {"close": np.exp(0.01 * np.random.default_rng(9).normal(
        size=100_000).cumsum())})[50::50]  # fmt: skip
    assert abs(walk.mean() - 0.44) < 4.0 * walk.std() / math.sqrt(len(walk)) + 0.01
