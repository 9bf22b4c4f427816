"""Hurst exponents on fractional Gaussian noise: no bias that matters, and intervals that cover.

The estimates come from a second implementation in numpy, which the functions are held to; coverage
bounds are four Monte Carlo errors around 95 %, and 1.5 % for the fitted surface.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import qf
from literature.library_types import fractional_noise
from qf.op import find

EXPONENTS = (0.1, 0.25, 0.5, 0.65, 0.8, 0.95)
PATHS = 400


def lengths(rows, least):
    found, length = [], 8
    while length * least <= rows:
        found.append(length)
        length *= 2
    return found


def cut(x, length):
    rows = x.shape[1] // length * length
    return x[:, :rows].reshape(len(x), -1, length)


def slope(ms, ys):
    logs = np.log(ms) - np.log(ms).mean()
    return np.stack(ys, axis=1) @ logs / (logs @ logs)


def expected_range(m):
    """Return the mean R/S of m independent normal values (Anis, Lloyd 1976, by log-gamma)."""
    gammas = math.exp(math.lgamma((m - 1) / 2) - math.lgamma(m / 2)) / math.sqrt(math.pi)
    return (m - 0.5) / m * gammas * sum(math.sqrt((m - i) / i) for i in range(1, m))


def rescaled(x):
    """Return the corrected exponent of each path."""
    ms, ys = lengths(x.shape[1], 1), []
    for m in ms:
        gaps = cut(x, m) - cut(x, m).mean(axis=2, keepdims=True)
        sums = gaps.cumsum(axis=2)
        ranges = sums.max(axis=2).clip(0.0) - sums.min(axis=2).clip(None, 0.0)
        ratio = (ranges / gaps.std(axis=2)).mean(axis=1)
        ys.append(np.log(ratio) + 0.5 * math.log(m) - math.log(expected_range(m)))
    return slope(ms, ys)


def detrended(x):
    """Return the exponent by detrended fluctuation of each path."""
    ms, ys = lengths(x.shape[1], 4), []
    for m in ms:
        paths = cut(x, m).cumsum(axis=2)
        paths = paths - paths.mean(axis=2, keepdims=True)
        row = np.arange(m) - (m - 1) / 2
        left = paths - (paths @ row / (row @ row))[..., None] * row
        ys.append(0.5 * np.log((left**2).mean(axis=(1, 2)) * 15.0 * m * m / (m * m - 4.0)))
    return slope(ms, ys)


ESTIMATES = {"hurst_rs": rescaled, "hurst_dfa": detrended}
each = pytest.mark.parametrize("name", ESTIMATES)


def interval(name, estimates, window):
    """Return both ends for estimates that are there already: the function's own formula."""
    ends = []
    for side in ("lower", "upper"):
        text = find(f"{name}_{side}", "ops").rules["formula"]
        on_column = text.replace(f"{name}(x, window)", "h")
        ends.append(qf.formula(on_column, columns=["h"], window=window).run({"h": estimates}))
    return ends


@each
def test_the_function_is_what_numpy_says(name):
    x = fractional_noise(0.7, 150, 3, 1)
    found = [qf.formula(f"{name}(x, 150)", columns=["x"]).run({"x": path})[-1] for path in x]
    np.testing.assert_allclose(found, ESTIMATES[name](x), rtol=1e-9)
    for side, end in zip(("lower", "upper"), interval(name, np.array(found), 150), strict=True):
        call = qf.formula(f"{name}_{side}(x, 150)", columns=["x"])
        np.testing.assert_allclose([call.run({"x": path})[-1] for path in x], end, rtol=1e-9)


@each
@pytest.mark.parametrize("window", [128, 350, 1024])
def test_the_interval_covers_the_exponent_of_fractional_noise(name, window):
    covered = {}
    for place, exponent in enumerate(EXPONENTS):
        estimates = ESTIMATES[name](fractional_noise(exponent, window, PATHS, 100 + place))
        lower, upper = interval(name, estimates, window)
        covered[exponent] = ((lower <= exponent) & (exponent <= upper)).mean()
    error = 4.0 * math.sqrt(0.95 * 0.05 / PATHS)
    assert min(covered.values()) > 0.95 - error - 0.015, covered
    mean = np.mean(list(covered.values()))
    assert abs(mean - 0.95) < error / math.sqrt(len(covered)) + 0.015, covered


@each
def test_the_interval_narrows_with_the_window_and_tells_memory_from_none(name):
    widths = []
    for window in (128, 512, 2048):
        estimates = ESTIMATES[name](fractional_noise(0.8, window, 60, 5))
        lower, upper = interval(name, estimates, window)
        assert (lower < upper).all()
        widths.append((upper - lower).mean())
    assert widths[0] > 1.3 * widths[1] > 1.6 * widths[2]
    assert (lower > 0.5).mean() > 0.95  # of the longest: 0.8 is persistence beyond chance


def test_detrended_fluctuation_has_no_bias_without_memory_and_little_with_it():
    for exponent, most in ((0.5, 0.005), (0.3, 0.02), (0.8, 0.03)):
        found = detrended(fractional_noise(exponent, 512, 500, 9))
        error = 4.0 * found.std() / math.sqrt(len(found))
        assert abs(found.mean() - exponent) < error + most


def test_a_slow_change_of_the_mean_moves_the_rescaled_range_more():
    noise = np.random.default_rng(4).normal(size=(200, 1024))
    drift = 0.5 * np.sin(2 * math.pi * np.arange(1024) / 1024)
    plain = rescaled(noise + drift).mean() - rescaled(noise).mean()
    within = detrended(noise + drift).mean() - detrended(noise).mean()
    assert plain > 0.03
    assert abs(within) < plain
