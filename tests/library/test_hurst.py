"""Hurst exponents: the published number, and no trend where there is none."""

from __future__ import annotations

import numpy as np
import pytest

import qf
from feeds.captures import DATA

BROWN = DATA / "golden" / "brown72.npy"


def exponents(name, x, window):
    """Return the exponents of windows that do not overlap."""
    found = qf.formula(f"{name}(x, {window})", columns=["x"]).run({"x": x})
    return found[window - 1 :: window]


@pytest.mark.skipif(not BROWN.is_file(), reason=f"the golden data is not in {BROWN}")
def test_the_plain_exponent_is_the_published_one():
    (found,) = exponents("hurst_rs_plain", np.load(BROWN), 1024)
    assert abs(found - 0.72) <= 0.01


def test_only_the_corrected_one_finds_no_memory_where_there_is_none():
    x = np.random.default_rng(7).normal(0.0, 1.0, 128 * 400)
    plain, corrected = exponents("hurst_rs_plain", x, 128), exponents("hurst_rs", x, 128)
    error = 4.0 * corrected.std() / np.sqrt(len(corrected))
    assert abs(corrected.mean() - 0.5) < error + 0.01  # the paper's mean is that of a slope's parts
    assert plain.mean() > 0.55


def test_persistence_lies_above_and_reversal_below():
    steps = np.random.default_rng(8).normal(0.0, 1.0, 256 * 100)
    assert exponents("hurst_rs", np.convolve(steps, np.ones(16)), 256).mean() > 0.6
    assert exponents("hurst_rs", steps[1:] - 0.8 * steps[:-1], 256).mean() < 0.4
