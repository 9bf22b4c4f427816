"""CUSUM: published run lengths, and false alarms as rare as was asked for, simulated and resampled.

A mean over n false alarms has a relative error of 1 / sqrt(n); bounds are four of them, or what the
law allows where that is wider.
"""

from __future__ import annotations

import numpy as np
import pytest

import qf
from qf.cusum_limits import limit_for, siegmund_limit, words_for
from qf.errors import DefinitionError
from qf.run_lengths import (
    mean_run_length,
    realised_run_length,
    stretches,
    threshold_for,
    threshold_on,
)

TABLE = [  # threshold, slack, rows between false alarms on both sides
    (3.0, 0.0, 9.0),
    (3.0, 0.5, 59.0),
    (4.0, 0.5, 168.0),  # Montgomery, Introduction to Statistical Quality Control, table 9.3
    (5.0, 0.5, 465.0),  # the same
]


def autoregressive(coefficient, rows, seed):
    """Return AR(1) values of variance 1."""
    noise = np.random.default_rng(seed).normal(0.0, np.sqrt(1.0 - coefficient**2), rows)
    noise[0] /= np.sqrt(1.0 - coefficient**2)
    for t in range(1, rows):
        noise[t] += coefficient * noise[t - 1]
    return noise


def rows_between_alarms(formula, x):
    """Return rows per alarm of a formula over x."""
    return len(x) / max(np.nansum(qf.formula(formula, columns=["x"]).run({"x": x})), 1.0)


@pytest.mark.parametrize(("threshold", "slack", "rows"), TABLE)
def test_the_run_length_is_the_published_one(threshold, slack, rows):
    assert mean_run_length(threshold, slack) == pytest.approx(rows, rel=0.04)


@pytest.mark.parametrize(("threshold", "slack", "rows"), TABLE)
def test_the_detector_alarms_as_often_as_the_table_says(threshold, slack, rows):
    x = np.random.default_rng(1).normal(0.0, 1.0, 200_000)
    found = rows_between_alarms(f"cusum_at.alarm(x, {slack}, {threshold})", x)
    exact = mean_run_length(threshold, slack)
    assert found == pytest.approx(exact, rel=4.0 * np.sqrt(exact / len(x)))


def test_dependence_makes_alarms_come_many_times_sooner():
    noise = np.random.default_rng(2).normal(0.0, np.sqrt(1.0 - 0.81), (4_000, 300))
    noise[:, 0] /= np.sqrt(1.0 - 0.81)
    for t in range(1, 300):
        noise[:, t] += 0.9 * noise[:, t - 1]
    paths = np.column_stack((noise, np.full(4_000, np.nan)))  # a null begins the sums anew
    alarms = qf.formula("cusum_at.alarm(x, 0.5, 5)", columns=["x"]).run({"x": paths.ravel()})
    first = 1 + np.argmax(alarms.reshape(paths.shape) == 1.0, axis=1)
    assert first.mean() == pytest.approx(28.0, rel=0.08)  # the error of the mean is 2 %


@pytest.mark.parametrize(
    ("arl0", "slack"), [(20.0, 0.125), (20.0, 1.5), (370.0, 0.5), (1e4, 0.25), (1e6, 0.5)]
)
def test_the_kernel_solves_for_the_threshold_as_exactly_as_the_library(arl0, slack):
    state = np.zeros(words_for(arl0, slack))
    found = limit_for(arl0, slack, state, 0)
    assert found == pytest.approx(threshold_for(arl0, slack), rel=2e-10)
    assert mean_run_length(found, slack, 160) == pytest.approx(arl0, rel=1e-6)


def test_siegmunds_formula_is_close_and_not_exact():
    guess, exact = siegmund_limit(370.0, 0.5), threshold_for(370.0, 0.5)
    assert 0.001 < abs(guess / exact - 1.0) < 0.05


@pytest.mark.parametrize(("arl0", "shift"), [(100.0, 1.0), (370.0, 0.5), (370.0, 2.0)])
def test_false_alarms_are_as_rare_as_was_asked_for(arl0, shift):
    x = np.random.default_rng(3).normal(0.0, 1.0, 800_000)
    found = rows_between_alarms(f"cusum.alarm(x, {arl0}, {shift})", x)
    assert found == pytest.approx(arl0, rel=max(4.0 * np.sqrt(arl0 / len(x)), 0.01))


def test_a_move_of_the_size_looked_for_is_found_soon_and_with_its_sign():
    x = np.random.default_rng(4).normal(0.0, 1.0, 400 * 200)
    moved = np.arange(len(x)) % 400 >= 200
    x[moved] -= 1.0
    run = qf.formula("cusum.score(x, 1000)", columns=["x"]).run({"x": x}).reshape(200, 400)
    first = np.argmax(np.abs(run[:, 200:]) >= 1.0, axis=1)
    assert np.median(first) < 20
    assert (np.take_along_axis(run[:, 200:], first[:, None], axis=1) <= -1.0).mean() > 0.95


def test_a_threshold_from_a_sample_holds_for_data_like_it():
    sample = autoregressive(0.5, 60_000, 5)
    wanted = 300.0
    naive, fitted = threshold_for(wanted, 0.5), threshold_on(sample, wanted, 0.5, 50, seed=1)
    again = stretches(sample, 2_000, 50, np.random.default_rng(6))
    assert realised_run_length(again, fitted, 0.5) == pytest.approx(wanted, rel=0.1)
    fresh = autoregressive(0.5, 400_000, 7)
    assert rows_between_alarms(f"cusum_at.alarm(x, 0.5, {fitted})", fresh) == pytest.approx(
        wanted, rel=0.1
    )
    assert rows_between_alarms(f"cusum_at.alarm(x, 0.5, {naive})", fresh) < 0.35 * wanted


def test_a_sample_too_short_for_its_stretches_is_refused():
    with pytest.raises(DefinitionError) as refused:
        threshold_on(np.zeros(100), 100.0, stretch=50)
    assert refused.value.code == "QF475"
