"""Volatility estimators recover the volatility of simulated paths, each where its paper says so.

Seeded paths of many small steps per bar. Bounds are the stated bias plus four standard errors of
the mean over the bars.
"""

from __future__ import annotations

import numpy as np
import pytest

import qf

BARS, STEPS, SIGMA = 4_000, 400, 0.01  # SIGMA per bar
OHLC = "open, high, low, close"
# a path seen at STEPS points misses its extremes by .5826 sigma / sqrt(STEPS) on each side
# (Broadie, Glasserman, Kou 1997): the range is short by this share of its mean, 1.596 sigma
SHORT = 2 * 0.5826 / np.sqrt(STEPS) / 1.596


def bars(drift=0.0, gap=0.0, jump=0.0, seed=3):
    """Return open, high, low, close of bars with a drift per bar and gaps between them."""
    draw = np.random.default_rng(seed)
    steps = draw.normal(drift / STEPS, SIGMA / np.sqrt(STEPS), (BARS, STEPS))
    steps[:, STEPS // 2] += jump * (draw.random(BARS) < 0.01)
    inside = np.concatenate([np.zeros((BARS, 1)), steps.cumsum(axis=1)], axis=1)
    between = draw.normal(0.0, gap, BARS)
    opened = between.cumsum() + np.concatenate([[0.0], inside[:-1, -1]]).cumsum()
    path = np.exp(opened[:, None] + inside)
    return {
        "open": path[:, 0],
        "high": path.max(axis=1),
        "low": path.min(axis=1),
        "close": path[:, -1],
    }


def estimate(call, columns):
    """Return the volatility that one estimator sees over all bars."""
    return qf.formula(call, clock="dollar_k_1").run(columns)[-1]


@pytest.mark.parametrize(
    ("call", "efficiency"),
    [
        (f"parkinson(high, low, {BARS})", 4.9),
        (f"garman_klass({OHLC}, {BARS})", 7.4),
        (f"rogers_satchell({OHLC}, {BARS})", 6.0),
        (f"yang_zhang({OHLC}, {BARS - 1})", 7.0),
    ],
)
def test_each_finds_the_volatility_of_a_driftless_path(call, efficiency):
    found = estimate(call, bars())
    error = 4.0 / np.sqrt(2 * BARS * efficiency)  # of a standard deviation, relative
    assert -2.0 * SHORT - error < found / SIGMA - 1.0 < error


def test_only_the_estimators_that_say_so_bear_a_drift():
    columns = bars(drift=2.0 * SIGMA)
    plain = estimate(f"parkinson(high, low, {BARS})", columns)
    right = [estimate(f"{name}({OHLC}, {BARS - 1})", columns) for name in
             ("rogers_satchell", "yang_zhang")]  # fmt: skip
    assert plain > 1.3 * SIGMA
    assert all(abs(value / SIGMA - 1.0) < 0.08 for value in right)


def test_only_yang_zhang_sees_the_gaps():
    columns = bars(gap=SIGMA)
    whole = np.sqrt(2.0) * SIGMA
    assert abs(estimate(f"yang_zhang({OHLC}, {BARS - 1})", columns) / whole - 1.0) < 0.06
    assert estimate(f"garman_klass({OHLC}, {BARS})", columns) < 0.8 * whole


def test_bipower_variation_leaves_out_the_jumps():
    columns = bars(jump=10.0 * SIGMA)
    root = np.sqrt(BARS - 2)
    smooth = estimate(f"bipower_variation(close, {BARS - 2})", columns) / root
    whole = estimate(f"realized_variation(close, {BARS - 2})", columns) / root
    assert abs(smooth / SIGMA - 1.0) < 0.17  # a jump of 10 in a hundred bars leaves .12
    assert whole > 1.3 * SIGMA


def test_a_random_walk_has_a_variance_ratio_of_one_and_a_trend_more():
    draw = np.random.default_rng(11)
    steps = draw.normal(0.0, SIGMA, BARS + 1)
    for lag, error in ((2, np.sqrt(1.0 / BARS)), (8, np.sqrt(2 * 15 * 7 / (24.0 * BARS)))):
        walk = {"close": np.exp(steps.cumsum())}
        ratio = estimate(f"variance_ratio(close, {BARS}, {lag})", walk)
        assert abs(ratio - 1.0) < 4.0 * error
    trending = {"close": np.exp((steps[1:] + 0.5 * steps[:-1]).cumsum())}
    ratio = estimate(f"variance_ratio(close, {BARS - 1}, 2)", trending)
    assert abs(ratio - 1.4) < 0.1  # 1 + the first autocorrelation, .5 / 1.25


def test_rolls_spread_is_the_one_that_was_planted():
    draw = np.random.default_rng(5)
    spread, side = 0.04, draw.choice([-1.0, 1.0], BARS)
    price = 100.0 + draw.normal(0.0, 0.005, BARS).cumsum() + 0.5 * spread * side
    assert abs(estimate(f"roll_spread(close, {BARS - 2})", {"close": price}) / spread - 1.0) < 0.1


def test_the_impact_regressions_find_the_planted_slope():
    draw = np.random.default_rng(9)
    flow = draw.normal(0.0, 50.0, BARS)
    price = 1e4 + (0.002 * flow + draw.normal(0.0, 0.05, BARS)).cumsum()
    columns = {"close": price, "volume": flow}
    error = 4.0 * 0.05 / 50.0 / np.sqrt(BARS)
    assert abs(estimate(f"kyle_lambda(close, volume, {BARS - 1})", columns) - 0.002) < error
    roots = np.sign(flow) * np.sqrt(np.abs(flow))
    price = 1e4 * np.exp((1e-5 * roots + draw.normal(0.0, 1e-4, BARS)).cumsum())
    found = estimate(f"hasbrouck_lambda(close, volume, {BARS - 1})", {**columns, "close": price})
    assert abs(found - 1e-5) < 4.0 * 1e-4 / roots.std() / np.sqrt(BARS)
