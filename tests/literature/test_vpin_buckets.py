"""VPIN on equal buckets: against exact fractions, within its bounds, and with its known means."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import qf
from tests.literature.library_types import values

ONE = st.integers(1, 40)


def vpin(size, side, window, buckets):
    """Return VPIN of trades with these sizes and sides."""
    size, side = np.asarray(size, float), np.asarray(side)
    call = qf.formula(f"vpin(size, buy_volume, sell_volume, {window}, {buckets})")
    bought, sold = np.where(side > 0, size, 0.0), np.where(side < 0, size, 0.0)
    return call.run({"size": size, "buy_volume": bought, "sell_volume": sold})


def brute_force(size, side, window, buckets):
    """Return VPIN at the last row: the volume is a line of unit pieces, cut in exact fractions.

    Bucket sizes are measured again whenever `buckets` of them are full; the first ones begin with
    the first window.
    """
    edges = np.r_[0, np.cumsum(size)].tolist()

    def measured(end):  # the volume of the window that ends with row `end`
        return Fraction(edges[end + 1] - edges[max(0, end + 1 - window)], buckets)

    def row_of(position):  # the row whose volume holds everything up to this place of the line
        return next(t for t in range(len(size)) if edges[t + 1] >= position)

    found, at, unit, count = [], Fraction(0), measured(window - 1), 0
    while at + unit <= edges[-1]:
        signed = sum(
            side[t] * max(0, min(edges[t + 1], at + unit) - max(edges[t], at))
            for t in range(len(size))
        )
        found.append((unit, abs(signed)))
        at += unit
        count += 1
        if count % buckets == 0:
            unit = measured(max(row_of(at), window - 1))
    last = found[-buckets:]
    return float(sum(s for _, s in last) / sum(u for u, _ in last))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(ONE, st.sampled_from([1, -1, 0])), min_size=12, max_size=60),
    st.integers(2, 9),
)
def test_it_is_what_exact_fractions_say_and_never_beyond_one(trades, buckets):
    size, side = [each[0] for each in trades], [each[1] for each in trades]
    found = vpin(size, side, 12, buckets)
    assert np.isnan(found[:11]).all()
    assert (found[11:] >= 0.0).all() and (found[11:] <= 1.0 + 1e-12).all()
    assert abs(found[-1] - brute_force(size, side, 12, buckets)) < 1e-9


def test_one_side_is_one_and_perfect_turns_are_none():
    size = np.random.default_rng(1).lognormal(0.0, 1.0, 500)
    assert abs(vpin(size, np.ones(500), 100, 10)[-1] - 1.0) < 1e-12
    even = np.ones(500)
    assert vpin(even, np.tile([1, -1], 250), 100, 10)[-1] < 1e-12  # ten trades fill a bucket


def test_a_block_trade_is_split_over_the_buckets_it_fills():
    """Ten units a bucket; balanced flow, then one purchase of 45: four and a half buckets."""
    size = np.r_[np.ones(100), 45.0]
    side = np.r_[np.tile([1, -1], 50), 1]
    found = vpin(size, side, 100, 10)
    assert found[99] < 1e-12
    # the round of ten was full at row 99, so a bucket holds the same ten: four are one-sided
    assert abs(found[100] - 0.4) < 1e-12


def test_independent_sides_have_the_mean_of_a_folded_normal():
    """n equal trades a bucket: E = sqrt(2 / (pi n)); the mean of 50 buckets varies by .6 E / 7."""
    draw = np.random.default_rng(7)
    per_bucket, rows = 40, 40_000
    found = vpin(np.ones(rows), draw.choice([-1, 1], rows), 50 * per_bucket, 50)
    expected = np.sqrt(2.0 / (np.pi * per_bucket))
    apart = found[50 * per_bucket :: 50 * per_bucket]
    error = 4.0 * 0.76 * expected / np.sqrt(50 * len(apart))
    assert abs(apart.mean() - expected) < error


def test_informed_flow_shows_at_its_own_share():
    """A share m of the volume on one side: with many trades a bucket VPIN tends to m.

    That is the model's alpha mu / (alpha mu + 2 epsilon), Easley and others (2012), eq. (6).
    """
    draw = np.random.default_rng(8)
    rows = 40_000
    informed = draw.random(rows) < 0.4
    side = np.where(informed, 1, draw.choice([-1, 1], rows))
    found = vpin(np.ones(rows), side, 20_000, 50)[-1]
    assert abs(found - 0.4) < 4.0 * np.sqrt(1.0 - 0.16) / np.sqrt(20_000)


def test_a_bucket_is_a_fiftieth_of_the_trailing_volume():
    """Trade sizes grow a hundredfold: buckets grow with them, so as many fill per trade."""
    draw = np.random.default_rng(9)
    size = np.r_[np.full(5_000, 1.0), np.full(20_000, 100.0)]
    side = draw.choice([-1, 1], len(size))
    found = vpin(size, side, 2_000, 50)
    expected = np.sqrt(2.0 / (np.pi * 40))
    assert abs(found[-10_000:].mean() / expected - 1.0) < 0.25
    assert found[5_000:7_000].max() > 2.0 * expected  # until then a bucket holds few trades


def test_the_type_on_bars_ranks_toxicity():
    draw = np.random.default_rng(10)
    rows = 1_060
    share = np.where(np.arange(rows) < 1_000, draw.beta(20, 20, rows), 0.95)
    volume = draw.lognormal(3.0, 0.5, rows)
    bars = {"volume": volume, "buy_volume": volume * share, "sell_volume": volume * (1 - share)}
    found = values("vpin_cdf", bars)
    assert found[-1] > 0.9
    assert abs(np.nanmean(found[:1_000]) - 0.5) < 0.2
