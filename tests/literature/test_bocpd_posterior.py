"""BOCPD: equal to every way of cutting the past, never blind, and right about planted changes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import qf

EVERY = 40.0


def marginal(rows):
    """Return the log density of rows of one run: normal, inverse gamma prior, in closed form."""
    n = len(rows)
    mean = sum(rows) / n
    kappa, alpha = 1.0 + n, 1.0 + 0.5 * n
    squares = sum((value - mean) ** 2 for value in rows) + n * mean * mean / kappa
    return (
        math.lgamma(alpha)
        - alpha * math.log(1.0 + 0.5 * squares)
        - 0.5 * math.log(kappa)
        - 0.5 * n * math.log(2.0 * math.pi)
    )


def posterior_by_hand(x):
    """Return P(run length) after x, adding up all ways to cut it into runs."""
    n, hazard = len(x), 1.0 / EVERY
    weight = np.zeros(n + 1)
    for cuts in itertools.product((False, True), repeat=n):  # a change after row k or none
        edges = [0, *(k + 1 for k in range(n) if cuts[k])]
        ends = [*edges[1:], n]
        total = sum(marginal(x[a:b]) for a, b in zip(edges, ends, strict=True) if b > a)
        total += sum(cuts) * math.log(hazard) + (n - sum(cuts)) * math.log(1.0 - hazard)
        weight[n - edges[-1]] += math.exp(total)
    return weight / weight.sum()


def log_student(value, freedom, mean, scale):
    """Return the log density of Student's t, per entry."""
    gammas = [math.lgamma(0.5 * (v + 1.0)) - math.lgamma(0.5 * v) for v in freedom]
    off = (value - mean) / scale
    tail = 0.5 * (freedom + 1.0) * np.log1p(off * off / freedom)
    return np.array(gammas) - 0.5 * np.log(freedom * math.pi) - np.log(scale) - tail


def full_length(x):
    """Return the run-length distributions of all rows in log space, no run left out."""
    log_p, rows = np.zeros(1), []
    mean, beta = np.zeros(1), np.ones(1)
    for value in x:
        r = np.arange(len(log_p))
        kappa, alpha = 1.0 + r, 1.0 + 0.5 * r
        scale = np.sqrt(beta * (kappa + 1.0) / (alpha * kappa))
        log_w = log_p + log_student(value, 2.0 * alpha, mean, scale)
        grown = log_w - np.logaddexp.reduce(log_w) + math.log(1.0 - 1.0 / EVERY)
        log_p = np.concatenate(([math.log(1.0 / EVERY)], grown))
        off = value - mean
        mean = np.concatenate(([0.0], mean + off / (kappa + 1.0)))
        beta = np.concatenate(([1.0], beta + 0.5 * off * off * kappa / (kappa + 1.0)))
        rows.append(np.exp(log_p))
    return rows


def found(x, output="score", recent=5, lengths=250, every=EVERY):
    call = f"bocpd.{output}(x, {every}, {lengths}, {recent})"
    return qf.formula(call, columns=["x"]).run({"x": np.asarray(x, float)})


@pytest.fixture(scope="module")
def moved():
    """Give 600 rows whose mean, then variance, then both change at rows 150, 300, 450."""
    x = np.random.default_rng(11).normal(0.0, 1.0, 600)
    x[150:300] += 3.0
    x[300:450] *= 4.0
    x[450:] = 0.3 * x[450:] - 2.0
    return x


def test_it_is_the_sum_over_all_ways_to_cut_the_past():
    x = np.random.default_rng(8).normal(0.0, 1.0, 9) + np.repeat([0.0, 3.0], (5, 4))
    for n in (4, 9):
        whole = posterior_by_hand(list(x[:n]))
        for recent in (1, 2, n):
            assert found(x[:n], recent=recent)[-1] == pytest.approx(whole[:recent].sum(), rel=1e-9)
        assert found(x[:n], "run", recent=1)[-1] == np.argmax(whole)


def test_it_equals_the_full_length_oracle_while_no_run_is_cut(moved):
    oracle = full_length(moved[:400])
    score, run = found(moved[:400], lengths=401), found(moved[:400], "run", lengths=401)
    want = [p[:5].sum() for p in oracle]
    assert score[4:] == pytest.approx(want[4:], rel=1e-8, abs=1e-12)
    assert run[4:].tolist() == [np.argmax(p) for p in oracle][4:]


def test_cutting_the_runs_changes_little_and_no_alarm(moved):
    whole, cut = found(moved, lengths=512), found(moved, lengths=64)
    assert np.nanmax(np.abs(whole - cut)) < 0.2
    assert ((whole >= 0.5) != (cut >= 0.5)).mean() < 0.01


def test_the_probability_of_a_change_right_now_is_the_hazard_whatever_comes(moved):
    assert found(moved, recent=1) == pytest.approx(1.0 / EVERY, rel=1e-12)


def test_planted_changes_are_found_and_calm_is_left_alone(moved):
    alarms, drops = (found(moved, output, every=250.0) for output in ("alarm", "drop"))
    assert np.flatnonzero(drops == 1.0).tolist() == [151, 301, 453]
    assert np.flatnonzero(alarms == 1.0).tolist() == [151, 152, 153, 301, 302, 303]
    # the third change, to a narrower spread, is sure only when its first rows are past `recent`
    assert found(moved, "alarm", recent=12, every=250.0)[450:465].any()
    calm = np.random.default_rng(9).normal(0.0, 1.0, 20_000)
    assert np.nanmean(found(calm, "alarm", every=250.0)) < 0.002


@pytest.mark.parametrize("far", [1e3, 1e9, 1e60])
def test_an_outlier_however_far_leaves_a_distribution(far):
    x = np.random.default_rng(10).normal(0.0, 1.0, 100)
    x[60] = far
    score = found(x)
    assert ((score[4:] >= 0.0) & (score[4:] <= 1.0 + 1e-12)).all()


def test_it_begins_anew_after_a_value_that_no_run_can_explain():
    x = np.random.default_rng(10).normal(0.0, 1.0, 100)
    x[60] = 1e200
    score = found(x)
    assert np.isnan(score[60:65]).all() and np.isfinite(score[65:]).all()
    assert score[65:].tolist() == found(x[61:])[4:].tolist()
