"""Funding rates of two contracts since 2019: scores, what is unusual, and what came of it."""

from __future__ import annotations

import datetime
import json

import numpy as np
import polars as pl
import pytest

import qf
from feeds.captures import DATA, lines

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the funding history is not here")
WINDOW, HOURS = 90, 8  # thirty days of settlements


@pytest.fixture(scope="module", params=["btc", "eth"])
def history(request):
    name = f"binance_usdm_{request.param}usdt.parquet"
    frame = pl.read_parquet(DATA / "funding" / name).sort("ts_us")
    hours = np.round(np.diff(frame["ts_us"].to_numpy()) / 3.6e9)
    assert set(hours) == {HOURS}  # the instrument's own interval, no settlement missing
    return frame["funding_rate"].to_numpy()


def run(text, **columns):
    return qf.formula(text, columns=list(columns)).run(columns)


def scores(rate):
    """Return the z-scores by hand, of the rate against the WINDOW before it."""
    past = np.lib.stride_tricks.sliding_window_view(rate[:-1], WINDOW)
    deviation = past.std(axis=1, ddof=1)
    deviation[past.max(axis=1) == past.min(axis=1)] = np.nan
    return (rate[WINDOW:] - past.mean(axis=1)) / deviation, past.mean(axis=1)


def test_scores_are_those_of_the_settlements_before(history):
    found = run(f"funding_zscore(rate, {WINDOW})", rate=history)
    expected, _ = scores(history)
    assert np.isnan(found[:WINDOW]).all()
    np.testing.assert_allclose(found[WINDOW:], expected, rtol=1e-6, atol=1e-6)
    assert np.nanmax(np.abs(found)) > (WINDOW - 1) / np.sqrt(WINDOW)  # its own mean would cap it


def test_the_flag_is_rare_and_half_the_excess_is_expected(history):
    expected, mean = scores(history)
    flagged = run(f"funding_arbitrage(rate, {WINDOW})", rate=history)[WINDOW:]
    told = run(f"funding_arbitrage_bps(rate, {WINDOW})", rate=history)[WINDOW:]
    out = np.abs(expected) > 3.0
    np.testing.assert_array_equal(flagged == 1.0, out)
    np.testing.assert_allclose(told[out], 5e3 * (history[WINDOW:] - mean)[out], rtol=1e-9)
    assert (told[~out & np.isfinite(told)] == 0.0).all()
    excess = (history[WINDOW:] - mean)[:-1][out[:-1]]
    left = (history[WINDOW + 1 :] - mean[:-1])[out[:-1]]
    kept = (left * excess).sum() / (excess**2).sum()
    print(f"{out.sum()} of {len(out)} flagged; {kept:.2f} of an excess is left at the next one")
    assert 0.002 < out.mean() < 0.06
    assert 0.2 < kept < 0.9  # half is a fair guess, one interval ahead


def test_a_year_has_as_many_settlements_as_the_interval_says(history):
    yearly = run(f"funding_annualized(rate, {HOURS})", rate=history)
    np.testing.assert_allclose(yearly, history * 3 * 365, rtol=1e-12)
    hourly = run("funding_annualized(rate, 1)", rate=history)
    np.testing.assert_allclose(hourly, 8 * yearly, rtol=1e-12)
    print(f"mean {yearly.mean():.3f} a year")
    assert 0.05 < yearly.mean() < 0.25


def test_a_surprise_is_smaller_than_the_rate_and_forgets_its_past(history):
    last = run("funding_surprise(rate, 1.0)", rate=history)
    np.testing.assert_array_equal(last[1:], np.diff(history))
    surprise = run("funding_surprise(rate, 0.5)", rate=history)[WINDOW:]
    assert surprise.std() < 0.8 * history[WINDOW:].std()
    before, after = surprise[:-1], surprise[1:]
    assert (
        abs(np.corrcoef(before, after)[0, 1]) < 0.3 < np.corrcoef(history[1:], history[:-1])[0, 1]
    )


def test_the_rate_settled_is_the_last_one_published():
    midnight = datetime.datetime(2023, 4, 5, tzinfo=datetime.UTC)
    rows = pl.read_parquet(DATA / "funding" / "binance_usdm_btcusdt.parquet")
    near = rows.sort((pl.col("ts_us") - int(midnight.timestamp() * 1e6)).abs())
    published = []
    for line in lines("binance_usdm"):
        if b"markPriceUpdate" in line:
            frame = json.loads(line.partition(b" ")[2])
            frame = frame.get("data", frame)
            if frame["T"] == midnight.timestamp() * 1e3:
                published.append(float(frame["r"]))
    assert published[-1] == pytest.approx(2.76e-5, abs=1e-9)
    assert near["funding_rate"][0] == pytest.approx(published[-1], abs=5e-7)


def test_basis_and_forced_orders():
    mark, index = np.array([101.0, 99.0, 100.0]), np.array([100.0, 100.0, 0.0])
    found = run("basis_bps(mark, index)", mark=mark, index=index)
    np.testing.assert_allclose(found[:2], [100.0, -100.0])
    assert np.isnan(found[2])
    found = run("basis_annualized(mark, index, 73)", mark=mark, index=index)
    np.testing.assert_allclose(found[:2], [0.05, -0.05])
    size, side = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.0, -1.0, 1.0, 1.0])
    flow = run("liquidation_flow(size, side, 3)", size=size, side=side)
    np.testing.assert_array_equal(flow[2:], [3.0, 10.0])
