"""Resilience: a planted half-life is recovered; at rest nothing is measured."""

from __future__ import annotations

import numpy as np
import pytest

import qf

SECOND = 1_000_000_000
FULL, START = 100.0, 1_700_000_000 * SECOND


def depth(half_life, drop, noise=0.0, every=60.0, seconds=1200.0, seed=4):
    """Return times and depth: every so often a share is taken, and comes back exponentially."""
    draw = np.random.default_rng(seed)
    at = draw.exponential(0.05, int(seconds / 0.05)).cumsum()
    since = np.where(at < every, np.inf, at % every)
    missing = drop * 2.0 ** (-since / half_life)
    x = FULL * (1.0 - missing) * (1.0 + draw.normal(0.0, noise, len(at)))
    return {"x": x, "processed_time": START + (at * SECOND).astype(np.int64)}


def measured(columns, share=0.3, patience="60s", window=200):
    text = f'depth_recovery.half_life(x, {window}, {share}, "{patience}")'
    return qf.formula(text, columns=["x"]).run(columns)


def values_of(half_life):
    """Return each measure once."""
    known = half_life[np.isfinite(half_life)]
    return known[np.concatenate([[True], np.diff(known) != 0.0])]


@pytest.mark.parametrize("planted", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("drop", [0.45, 0.8])
def test_a_planted_half_life_is_recovered(planted, drop):
    found = values_of(measured(depth(planted, drop)))
    assert len(found) == 19  # 1200 s, one a minute, the first minute calm
    # the lowest row comes 50 ms after the fall on average; the half is counted from there
    error = 4.0 * 0.05 / np.sqrt(len(found)) + 0.02 * planted
    assert abs(found.mean() - planted) < error


def test_noise_of_two_per_cent_moves_it_little():
    found = values_of(measured(depth(4.0, 0.6, noise=0.02)))
    assert len(found) == 19
    assert abs(np.median(found) / 4.0 - 1.0) < 0.15


def test_a_small_fall_is_no_episode_and_rest_measures_nothing():
    assert np.isnan(measured(depth(2.0, 0.25))).all()
    assert np.isnan(measured(depth(2.0, 0.0, noise=0.02))).all()


def test_the_mean_is_taken_before_the_row_that_it_judges():
    """A mean that has the row in it already hides the fall: the shortfall would be a constant."""
    columns = depth(2.0, 0.6)
    columns["x"][:] = FULL
    columns["x"][5_000] = 80.0
    text = "depth_recovery.shortfall(x, 200)"
    found = qf.formula(text, columns=["x"]).run(columns)
    assert found[4_999] == 0.0 and abs(found[5_000] - 0.2) < 1e-12
    assert np.isnan(found[:200]).all() and found[200] == 0.0


def test_a_book_that_stays_thin_is_given_up_after_the_patience():
    columns = depth(2.0, 0.0)
    columns["x"][8_000:] = 40.0
    found = measured(columns, patience="10s")
    (value,) = set(found[np.isfinite(found)])
    assert value == 10.0
    first = int(np.argmax(np.isfinite(found)))
    waited = columns["processed_time"][first] - columns["processed_time"][8_000]
    assert 10 * SECOND < waited < 11 * SECOND
