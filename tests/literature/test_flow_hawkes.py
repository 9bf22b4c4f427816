"""The decayed rate: brute force, an unbiased rate, and the intensity of a simulated Hawkes process.

Simulated by thinning (Ogata 1981, IEEE Trans. Information Theory 27). If the intensity is right,
the compensator between events is standard exponential (Brown, Nair 1988, Am. Statistician 42).
"""

from __future__ import annotations

import numpy as np

import qf
from tests.literature.library_types import values

SECOND = 1_000_000_000
BASE, BRANCHING, HALF_LIFE = 2.0, 0.6, 0.5  # events per second, events per event, seconds
BETA = np.log(2.0) / HALF_LIFE


def rate(x, times, half_life=f"{HALF_LIFE}s"):
    call = qf.formula(f'decayed_rate(x, "{half_life}")', columns=["x", "processed_time"])
    return call.run({"x": x, "processed_time": times})


def hawkes(count, seed):
    """Return event times in seconds of a Hawkes process with an exponential kernel."""
    draw = np.random.default_rng(seed)
    times, now, excited = [], 0.0, 0.0
    while len(times) < count:
        bound = BASE + excited
        wait = draw.exponential(1.0 / bound)
        now, excited = now + wait, excited * np.exp(-BETA * wait)
        if draw.random() * bound < BASE + excited:
            times.append(now)
            excited += BRANCHING * BETA
    return np.array(times)


def misfit(waits):
    """Return the Kolmogorov-Smirnov distance from a standard exponential, times sqrt(n).

    Above 1.63 it is refuted at the 1 % level (Kolmogorov's distribution).
    """
    expected = 1.0 - np.exp(-np.sort(waits))
    steps = np.arange(len(waits) + 1) / len(waits)
    far = np.maximum(np.abs(expected - steps[:-1]), np.abs(expected - steps[1:]))
    return far.max() * np.sqrt(len(waits))


def test_it_is_the_sum_over_the_whole_past():
    draw = np.random.default_rng(1)
    times = draw.integers(0, 4 * SECOND, 400).cumsum() // 50 + 1_700_000_000 * SECOND
    x = draw.lognormal(0.0, 1.0, 400)
    ages = (times[:, None] - times[None, :]) / SECOND
    weights = np.where(np.tri(400, dtype=bool), np.exp(-BETA * np.maximum(ages, 0.0)), 0.0)
    assert np.allclose(rate(x, times), BETA * (weights @ x), rtol=1e-12)


def test_steady_arrivals_have_their_rate():
    """Just after an event the sum is half an event too high: beta / 2 per second."""
    times = np.arange(4_000, dtype=np.int64) * (SECOND // 20)
    found = rate(np.ones(4_000), times, "10s")
    assert abs(found[-1] - 20.0 - np.log(2.0) / 20.0) < 1e-2


def test_the_intensity_makes_simulated_events_exponential_in_its_own_time():
    times = hawkes(20_000, seed=5)
    words = np.round(times * SECOND).astype(np.int64)
    after = BRANCHING * rate(np.ones(len(times)), words)  # the excitation with the event's own
    wait = np.diff(times)
    compensator = BASE * wait + after[:-1] / BETA * (1.0 - np.exp(-BETA * wait))
    assert misfit(compensator) < 1.63
    assert misfit(wait / wait.mean()) > 5.0  # a constant rate is refuted by the same test


def test_the_type_has_the_processs_mean_rate_and_follows_its_bursts():
    """The mean rate is base / (1 - branching) = 5; the value at events lies above the mean."""
    times = hawkes(20_000, seed=6)
    words = np.round(times * SECOND).astype(np.int64)
    found = values("hawkes_intensity", {"processed_time": words}, half_life="500ms")[2_000:]
    true = BASE + BRANCHING * rate(np.ones(len(times)), words)[2_000:]
    assert np.corrcoef(found, true)[0, 1] > 0.95
    assert abs(found.mean() / true.mean() - 1.0) < 0.1
