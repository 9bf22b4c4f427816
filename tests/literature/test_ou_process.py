"""The Ornstein-Uhlenbeck score: its deviation, its half-life, when there is none, and its gate.

Paths follow the exact discretisation; the bounds name the bias of least squares and four Monte
Carlo errors.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import qf
from literature.library_types import values


def reverting(theta, rows, seed, start=0.0):
    """Return a path with b = -theta and a deviation of 1 in the long run."""
    draw = np.random.default_rng(seed)
    steps = draw.normal(0.0, math.sqrt(1.0 - (1.0 - theta) ** 2), rows)
    path = np.empty(rows)
    path[0] = start
    for t in range(1, rows):
        path[t] = (1.0 - theta) * path[t - 1] + steps[t]
    return path


def run(call, x):
    return qf.formula(call, columns=["x"]).run({"x": x})


@pytest.mark.parametrize("theta", [0.02, 0.05, 0.2])
def test_the_score_has_a_deviation_of_one(theta):
    rows, window = 60_000, 3_000
    path = reverting(theta, rows, 31)
    z = run(f"ou_zscore(x, {window}, 50)", path)[window:]
    known = np.isfinite(z)
    assert known.mean() > 0.99
    independent = rows * theta / 2.0
    error = 4.0 / math.sqrt(2.0 * independent)
    assert abs(z[known].std() - 1.0) < error + 2.0 / (theta * window)
    assert abs(z[known].mean()) < 4.0 / math.sqrt(independent)
    # over the deviation of what is left, as often computed, it is this much too wide
    wide = 1.0 / math.sqrt(1.0 - (1.0 - theta) ** 2)
    assert wide > {0.02: 5.0, 0.05: 3.2, 0.2: 1.6}[theta]


def test_fit_and_score_are_those_of_least_squares():
    path = 50.0 + reverting(0.1, 400, 7)
    z, life = run("ou_zscore(x, 100)", path), run("ou_half_life(x, 100)", path)
    for t in (100, 250, 399):
        before, step = path[t - 100 : t], np.diff(path[t - 100 : t + 1])
        b, a = np.polyfit(before, step, 1)
        left = step - a - b * before
        deviation = math.sqrt((left @ left) / 98 / (1.0 - (1.0 + b) ** 2))
        assert z[t] == pytest.approx((path[t] + a / b) / deviation, rel=1e-7)
        assert life[t] == pytest.approx(-math.log(2.0) / math.log(1.0 + b), rel=1e-7)


def test_the_planted_half_life_is_found():
    planted = -math.log(2.0) / math.log(0.95)
    found = run("ou_half_life(x, 2000, 2000)", reverting(0.05, 80_000, 8))[2000::2000]
    error = 4.0 * found.std() / math.sqrt(len(found))
    assert abs(found.mean() - planted) < error + 4.0 / 2000 / 0.05 * planted  # Kendall's bias


def test_fitted_every_n_rows_the_score_goes_on_with_the_last_fit():
    path = reverting(0.1, 900, 9)
    each, seldom = run("ou_zscore(x, 60)", path), run("ou_zscore(x, 60, 25)", path)
    assert np.isnan(seldom[:75]).all()  # 75 is the first row from 60 on that divides by 25
    assert np.array_equal(each[75::25], seldom[75::25])
    t = 75
    scale = (seldom[t + 1] - seldom[t]) / (path[t + 1] - path[t])
    steps = seldom[t : t + 25] - seldom[t]
    np.testing.assert_allclose(steps, scale * (path[t : t + 25] - path[t]), atol=1e-12)


def test_there_is_no_score_where_nothing_reverts():
    growing = np.exp(0.01 * np.arange(300.0)) + np.random.default_rng(1).normal(0, 1e-4, 300)
    assert np.isnan(run("ou_zscore(x, 100)", growing)).all()
    slow = reverting(0.005, 20_000, 10)  # a half-life of 138
    assert np.isnan(run("ou_half_life(x, 10000, 1, 1, 50)", slow)).all()
    noise = np.random.default_rng(2).normal(size=2_000)  # a half-life below a row, or none
    assert np.isnan(run("ou_half_life(x, 500)", noise)).all()
    assert np.isnan(run("ou_zscore(x, 30)", np.ones(100))).all()


def test_the_signal_takes_the_other_side_beyond_two():
    close = {"close": np.exp(0.01 * reverting(0.1, 3_000, 12))}
    z, side = values("ou_zscore", close), values("ou_signal", close)
    known = np.isfinite(z)
    expected = np.where(z > 2.0, -1.0, np.where(z < -2.0, 1.0, 0.0))
    assert np.array_equal(side[known], expected[known])
    beyond = np.abs(z[known]) > 2.0
    assert abs(beyond.mean() - 0.0455) < 4.0 * math.sqrt(0.0455 / (3_000 * 0.05))


def test_the_gate_opens_below_the_exponent_and_the_score_fades_at_93_percent():
    draw = np.random.default_rng(13)
    trending = np.convolve(draw.normal(size=800), np.ones(12), "same").cumsum()
    path = np.concatenate([reverting(0.3, 800, 14), trending / 12])
    close = {"close": np.exp(0.001 * path)}
    gated, z = values("ou_zscore_gated", close), values("ou_zscore", close)
    exponent = values("hurst_rs", close)
    start = 257
    active = (exponent < 0.4) & np.isfinite(z)
    assert active[start:800].mean() > 0.5
    assert not active[-300:].any()
    kept = 0.0
    for t in range(256, len(path)):
        kept = z[t] if active[t] else 0.93 * kept
        assert gated[t] == pytest.approx(kept, rel=1e-9, abs=1e-300)
    assert abs(gated[-1]) < 1e-6
