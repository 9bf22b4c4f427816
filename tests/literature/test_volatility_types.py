"""Volatility in its other forms: against plain numpy, and on paths whose volatility is known.

Bounds on simulated paths are four standard errors of the estimator, from its own variance.
"""

from __future__ import annotations

import numpy as np
import pytest

from literature.library_types import values

ROWS, STEPS, SIGMA = 4_000, 200, 0.01


@pytest.fixture(scope="module")
def bars():
    """Bars of a path of many steps, with volumes."""
    draw = np.random.default_rng(21)
    path = draw.normal(0.0, SIGMA / np.sqrt(STEPS), (ROWS, STEPS)).cumsum(axis=1)
    start = np.concatenate([[0.0], path[:-1, -1]]).cumsum()[:, None]
    whole = np.exp(start + np.concatenate([np.zeros((ROWS, 1)), path], axis=1))
    high, low, close = whole.max(axis=1), whole.min(axis=1), whole[:, -1]
    volume = draw.lognormal(0.0, 1.0, ROWS)
    return {"high": high, "low": low, "close": close, "volume": volume}


def taken(bars, *names):
    return {name: bars[name] for name in names}


def returns(bars):
    return np.diff(np.log(bars["close"]))


def of_ranges(bars, window):
    """Return Parkinson's variance of the last rows of each window."""
    squares = np.log(bars["high"] / bars["low"]) ** 2 / (4 * np.log(2.0))
    return np.convolve(squares, np.ones(window) / window, "valid")


def test_the_blend_weighs_variances(bars):
    found = values("realized_parkinson_volatility", taken(bars, "close", "high", "low"), window=50,
                   weight=0.3)  # fmt: skip
    moves = np.lib.stride_tricks.sliding_window_view(returns(bars), 50)
    variance = 0.3 * moves.var(axis=1, ddof=1) + 0.7 * of_ranges(bars, 50)[1:]
    np.testing.assert_allclose(found[50:], np.sqrt(variance), rtol=1e-9)
    means = 0.3 * moves.std(axis=1, ddof=1) + 0.7 * np.sqrt(of_ranges(bars, 50)[1:])
    assert (found[50:] >= means).all()  # a mean of volatilities is below: Jensen
    short = 2 * 0.5826 / np.sqrt(STEPS) / 1.596  # of a range that is seen at STEPS points
    error = 4.0 / np.sqrt(2 * ROWS)
    assert -2 * short - error < np.sqrt(np.mean(found[50:] ** 2)) / SIGMA - 1.0 < error


@pytest.mark.parametrize(("short", "side"), [(False, -1.0), (True, 1.0)])
def test_a_stop_is_k_volatilities_from_its_entry(bars, short, side):
    columns = taken(bars, "close", "high", "low")
    volatility = values("realized_parkinson_volatility", columns)
    found = values("volatility_stop", columns, k=2.5, hold=9, short=short)
    expected = bars["close"] * (1.0 + side * 2.5 * 3.0 * volatility)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_stop_of_k_volatilities_is_passed_as_often_as_a_normal_tail_says(bars):
    stop = values("volatility_stop", taken(bars, "close", "high", "low"), window=500, k=2.0)
    passed = (bars["close"][1:] < stop[:-1])[500:].mean()
    assert abs(passed - 0.0228) < 4.0 * np.sqrt(0.0228 / (ROWS - 500)) + 0.004  # short ranges


def test_a_trailing_stop_hangs_from_the_highest_high(bars):
    columns = taken(bars, "close", "high", "low")
    found = values("chandelier_stop", columns, window=10)
    high = np.lib.stride_tricks.sliding_window_view(bars["high"], 10).max(axis=1)
    before = bars["close"][:-1]
    ranges = np.maximum(bars["high"][1:], before) - np.minimum(bars["low"][1:], before)
    mean = ranges[0]
    for t, width in enumerate(ranges, start=1):
        mean += (width - mean) / 10
        if t in (20, 500, ROWS - 1):
            assert found[t] == pytest.approx(high[t - 9] - 3.0 * mean, rel=1e-9)


def test_the_percentile_of_an_unchanged_market_is_even(bars):
    found = values("volatility_percentile", taken(bars, "close", "high", "low"), short_window=2,
                   long_window=20)[21:]  # fmt: skip
    assert found.min() > 0.0
    assert found.max() < 1.0
    assert abs(found.mean() - 0.5) < 4.0 * np.sqrt(1 / 12 / (len(found) / 2))


def test_volume_weighs_squared_returns(bars):
    found = values("volume_weighted_volatility", taken(bars, "close", "volume"), window=30)
    moves, volume = returns(bars), bars["volume"][1:]
    for t in (30, 777, ROWS - 1):
        part = slice(t - 30, t)
        expected = np.sqrt(np.average(moves[part] ** 2, weights=volume[part]))
        assert found[t] == pytest.approx(expected, rel=1e-10)
    tied = {"close": bars["close"], "volume": np.concatenate([[1.0], np.abs(moves) + 1e-6])}
    assert (values("volume_weighted_volatility", tied, window=500)[500:] > 1.1 * SIGMA).all()


def test_realised_moments_and_the_downside_are_those_of_numpy(bars):
    close = taken(bars, "close")
    parts = np.lib.stride_tricks.sliding_window_view(returns(bars), 50)
    square = (parts**2).sum(axis=1)
    for name, expected in (
        ("realized_skewness", np.sqrt(50) * (parts**3).sum(axis=1) / square**1.5),
        ("realized_kurtosis", 50 * (parts**4).sum(axis=1) / square**2),
        ("downside_variance_share", (np.minimum(parts, 0) ** 2).sum(axis=1) / square),
    ):
        np.testing.assert_allclose(values(name, close)[50:], expected, rtol=1e-8, atol=1e-10)


def test_medians_of_three_bear_jumps_and_bars_without_a_move():
    draw = np.random.default_rng(5)
    moves = draw.normal(0.0, SIGMA, ROWS)
    error = 4.0 * np.sqrt(2.96 / ROWS) / 2.0  # the asymptotic variance of MedRV

    def last(moves):
        close = {"close": np.exp(np.concatenate([[0.0], moves.cumsum()]))}
        return values("median_realized_volatility", close, window=ROWS - 2)[-1] / SIGMA

    assert abs(last(moves) - 1.0) < error
    jumps = moves + 20.0 * SIGMA * (draw.random(ROWS) < 0.005)
    assert abs(last(jumps) - 1.0) < error + 0.02  # a returning neighbour is still larger
    assert jumps.std() > 1.6 * SIGMA


def test_the_exponential_mean_of_squares(bars):
    found = values("ewma_volatility", taken(bars, "close"), decay=0.9)
    mean = returns(bars)[0] ** 2
    for t, move in enumerate(returns(bars)[1:], start=2):
        mean = 0.9 * mean + 0.1 * move**2
        if t in (2, 100, ROWS - 1):
            assert found[t] == pytest.approx(np.sqrt(mean), rel=1e-10)
    size = np.sqrt(np.mean(found[200:] ** 2))
    assert abs(size / SIGMA - 1.0) < 4.0 / np.sqrt(2 * ROWS)
