"""The season of the day is found and never looks ahead; the speed of bars is what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

import qf
from qf.op import find

DAY = 86_400_000_000_000
START = 1_704_067_200_000_000_000  # 2024-01-01 00:00 UTC


def run(text, x, time):
    return qf.formula(text, columns=["x"]).run({"x": x, "processed_time": time})


def days(count, rows, seed=1):
    """Return the times of rows a day, at random, and where in the day each stands."""
    draw = np.random.default_rng(seed)
    time = np.sort(draw.integers(0, count * DAY, count * rows)) + START
    return time, time % DAY / DAY


def test_a_planted_season_is_found():
    time, place = days(60, 480)
    level = np.where(place < 0.25, 4.0, 1.0)
    x = level + np.random.default_rng(2).normal(0.0, 0.5, len(level))
    found = run("seasonal_mean(x, 24, weight=0.1)", x, time)
    late = time >= START + 40 * DAY
    # a slot's day has 20 rows; weights .1 make the variance of the mean .1 / 1.9 of a day's
    error = 0.5 / math.sqrt(20) * math.sqrt(0.1 / 1.9)
    assert np.abs(found[late] - level[late]).max() < 6.0 * error
    assert np.abs((found - level)[late].mean()) < error


def test_a_value_never_meets_itself():
    time, _ = days(3, 200)
    x = np.random.default_rng(3).normal(0.0, 1.0, len(time))
    whole = run("seasonal_mean(x, 24)", x, time)
    slot = time // (DAY // 24)
    for row in (150, 399, 580):
        other = x.copy()
        other[slot == slot[row]] += 1e6
        assert run("seasonal_mean(x, 24)", other, time)[row] == whole[row]


@pytest.mark.parametrize("slots", [1, 7, 24, 288])
def test_the_kernel_is_the_definition_over_several_days(slots):
    time, _ = days(3, 100)
    x = np.random.default_rng(4).normal(5.0, 1.0, len(time))
    x[::7] = math.nan
    x[40:60] = math.nan
    made = run(f"seasonal_mean(x, {slots}, weight=0.25)", x, time)
    rule = find("seasonal_mean", "ops").rules["definition"]
    known = {"slots": slots, "period": DAY, "weight": 0.25}
    for row in range(0, len(x), 11):
        want = rule(x[: row + 1].tolist(), time[: row + 1].tolist(), **known)
        assert made[row] == pytest.approx(want, rel=1e-12, nan_ok=True)
    assert np.isfinite(made[110 if slots == 1 else 30 :]).all()


def test_speed_is_bars_per_second_and_acceleration_its_growth():
    gaps = np.repeat([2.0, 1.0], 50)  # seconds between bars: the market doubles its speed
    time = START + (np.cumsum(gaps) * 1e9).astype(np.int64)
    x = np.ones(100)
    speed = run("10 / elapsed(10) + 0 * x", x, time)
    assert speed[49] == pytest.approx(0.5) and speed[60] == pytest.approx(1.0)
    growth = run("log(lag(elapsed(10), 10) / elapsed(10)) + 0 * x", x, time)
    assert growth[49] == pytest.approx(0.0) and growth[59] == pytest.approx(math.log(2.0))
    assert np.isnan(growth[:20]).all() and np.isfinite(growth[20:]).all()


def test_bars_at_one_instant_have_no_speed():
    time = np.full(30, START)
    assert np.isnan(run("10 / elapsed(10) + 0 * x", np.ones(30), time)).all()
