"""Each detector finds what was planted, and leaves noise alone."""

from __future__ import annotations

import numpy as np
import pytest

import qf


def run(formula, **columns):
    return qf.formula(formula, columns=list(columns)).run(columns)


def noise(rows, seed):
    return np.random.default_rng(seed).normal(0.0, 1.0, rows)


def first_alarm(alarms, planted):
    """Return how many rows after the planted one the first alarm comes, none before it."""
    rows = np.flatnonzero(alarms == 1.0)
    assert (rows >= planted).all()
    return rows[0] - planted


@pytest.mark.parametrize("move", [1.0, -1.0])
def test_page_hinkley_learns_the_mean_and_finds_its_move(move):
    x = noise(3_000, 1) + 60_000.0
    x[2_000:] += move
    call = "page_hinkley.{}(x, 0.25, 25, 30)"
    assert 10 < first_alarm(run(call.format("alarm"), x=x), 2_000) < 80
    scores = run(call.format("score"), x=x)
    assert np.sign(scores[np.abs(scores) >= 1.0][0]) == move


def test_page_hinkley_is_the_sum_less_its_extreme():
    x = noise(200, 2)
    means = x.cumsum() / np.arange(1, 201)
    up, down = (x - means - 0.1).cumsum(), (x - means + 0.1).cumsum()
    rise = up - np.minimum(np.minimum.accumulate(up), 0.0)
    fall = np.maximum(np.maximum.accumulate(down), 0.0) - down
    want = np.where(rise >= fall, rise, -fall) / 1e6
    assert run("page_hinkley.score(x, 0.1, 1e6)", x=x) == pytest.approx(want, rel=1e-9, abs=1e-15)


def test_adwin_keeps_what_is_alike_and_drops_what_is_not():
    x = np.random.default_rng(3).random(6_000) * 0.5
    x[4_000:] += 0.3
    alarms, rows = (run(f"adwin.{part}(x, 0.002)", x=x) for part in ("alarm", "rows"))
    assert first_alarm(alarms, 4_000) < 150
    assert rows[3_999] == 4_000 and rows[-1] < 2_100
    assert run("adwin.mean(x, 0.002)", x=x)[-1] == pytest.approx(0.55, abs=0.02)


def test_adwin_is_rarely_wrong():
    x = np.random.default_rng(4).random(100_000)
    assert np.nansum(run("adwin.alarm(x, 0.002)", x=x)) <= 6  # 3,125 looks at a bound that is loose


def test_a_burst_shows_in_the_window_of_its_length():
    x = np.random.default_rng(5).lognormal(0.0, 0.5, 4_000)
    short, long = x.copy(), x.copy()
    short[3_000:3_003] *= 10.0
    long[3_000:3_080] *= 1.6
    for planted in (short, long):
        alarms = run("burst.alarm(x, 2, 500, 7, 200)", x=planted)
        assert 0 <= first_alarm(alarms, 3_000) < 90
    assert np.nansum(run("burst.alarm(x, 2, 500, 7)", x=x)) == 0


def test_a_burst_does_not_lift_its_own_level():
    x = noise(2_000, 6)
    level = x[:1_000].copy()
    x[1_000:1_016] += 6.0
    assert run("burst.score(x, 2, 500)", x=x)[1_015] > 20.0
    assert run("burst.score(x, 2, 500)", x=level)[-1] < 6.0


def test_an_alarm_waits_for_its_cooldown():
    holds = np.array([1, 1, 0, 1, 1, 1, np.nan, 1, 1, 0, 1.0])
    want = [1, 0, 0, 0, 1, 0, np.nan, 0, 1, 0, 0]
    got = run("cooldown(x > 0, 3)", x=holds)
    assert np.array_equal(got, np.array(want, float), equal_nan=True)


def test_three_weak_scores_make_one_alarm_and_then_wait():
    a, b, c = (np.abs(noise(5_000, seed)) for seed in (7, 8, 9))
    for each in (a, b, c):
        each[4_000:4_010] += 2.5
    alarms = run("ensemble.alarm(a, b, c, 500, 6, 100)", a=a, b=b, c=c)
    assert first_alarm(alarms, 4_000) < 10
    assert np.nansum(alarms) == 1.0


def test_the_limit_of_an_ensemble_follows_the_level_and_not_the_alarm():
    a = np.abs(noise(6_000, 10))
    a[3_000:] *= 5.0
    missing = np.full(6_000, np.nan)
    limit = run("ensemble.limit(a, b, c, 300, 4, 50)", a=a, b=missing, c=missing)
    assert np.isnan(limit[299]) and np.isfinite(limit[300])
    assert 3.0 < limit[-1] / limit[2_999] < 6.5
