"""Bulk classification: the published numbers of the popular form, and what the founded one does."""

from __future__ import annotations

import csv
import math
from statistics import NormalDist

import numpy as np
import pytest

import qf
from feeds.captures import DATA
from tests.literature.library_types import values

SAMPLE = DATA / "golden" / "dollar_bar_sample.csv"
needs_sample = pytest.mark.skipif(not SAMPLE.is_file(), reason=f"no golden data in {SAMPLE}")


@pytest.fixture(scope="module")
def bars():
    with SAMPLE.open() as file:
        rows = list(csv.DictReader(file))
    names = {"close": "close", "volume": "cum_vol"}
    return {name: np.array([float(row[of]) for row in rows]) for name, of in names.items()}


@needs_sample
@pytest.mark.parametrize(
    ("window", "largest", "mean", "place", "there"),
    [(1, 0.999, 0.501, 25, 0.554), (20, 0.6811, 0.500, 45, 0.4638)],
)
def test_the_published_numbers_come_out(bars, window, largest, mean, place, there):
    found = values("vpin_bulk_bar", bars, window=window)
    assert np.nanmax(found) == pytest.approx(largest, abs=1e-3 if window == 1 else 1e-4)
    assert np.nanmean(found) == pytest.approx(mean, abs=1e-3)
    assert found[place] == pytest.approx(there, abs=1e-3 if window == 1 else 1e-4)


@needs_sample
def test_the_founded_form_on_the_same_bars_is_bounded_and_lower(bars):
    """A bucket of four bars nets them against each other: half of one bar's mean imbalance."""
    found = values("vpin_bulk", bars)
    assert np.nanmax(found) <= 1.0 and np.nanmin(found) >= 0.0
    assert abs(np.nanmean(found) - 0.501 / 2.0) < 0.05


def test_the_share_is_the_normal_distributions():
    draw = np.random.default_rng(1)
    close = 100.0 + draw.normal(0.0, 1.0, 400).cumsum()
    found = qf.formula("bulk_buy_share(close, 20)", clock="dollar_k_1").run({"close": close})
    change = np.diff(close)
    for t in (20, 57, 399):
        last = change[t - 20 : t]
        assert found[t] == pytest.approx(NormalDist().cdf(last[-1] / last.std(ddof=1)), rel=1e-12)
    assert np.isnan(found[:20]).all()


def test_the_polars_rule_has_all_digits_of_the_normal_distribution():
    import polars as pl

    x = np.r_[np.linspace(-30.0, 30.0, 4_001), 0.0, 1e-300, 0.46875 * math.sqrt(2.0), 1e300]
    call = qf.formula("normal_cdf(x)", columns=["x"])
    found = pl.DataFrame({"x": x}).select(call.polars().alias("y"))["y"].to_numpy()
    expected = [0.5 * math.erfc(-value / math.sqrt(2.0)) for value in x]
    assert np.allclose(found, expected, rtol=1e-12, atol=0.0)
    assert np.allclose(call.run({"x": x}), expected, rtol=1e-12, atol=0.0)


def test_bulk_classification_finds_the_side_that_moved_the_price():
    """Prices follow the flow: the bulk imbalance correlates with the true one."""
    draw = np.random.default_rng(2)
    rows = 3_000
    volume = draw.lognormal(0.0, 0.3, rows)
    share = draw.beta(2.0, 2.0, rows)
    close = 100.0 + (volume * (2 * share - 1) + draw.normal(0.0, 0.2, rows)).cumsum()
    found = values("bulk_imbalance", {"close": close, "volume": volume}, window=1)
    known = np.isfinite(found)
    assert np.corrcoef(found[known], (2 * share - 1)[known])[0, 1] > 0.85
