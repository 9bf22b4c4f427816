"""The effective spread and its parts: identity, planted shares, and who is judged when."""

from __future__ import annotations

import numpy as np
import pytest

from literature.book_types import of_type

ROWS, SPREAD = 40_000, 0.02


def market(informed, fading=0.0, keep=0.8, seed=3):
    """Return trades at half a spread beyond the mid, which then moves for good and for a while.

    The mid before trade t + k has moved, on average, side_t (informed + fading keep^(k-1)) halves
    of the spread since the mid before trade t.
    """
    draw = np.random.default_rng(seed)
    side = draw.choice([-1.0, 1.0], ROWS)
    half = 0.5 * SPREAD
    value = 100.0 + np.concatenate([[0.0], (informed * half * side + draw.normal(0, 0.003, ROWS))
                                    .cumsum()[:-1]])  # fmt: skip
    passing = np.zeros(ROWS)
    for t in range(1, ROWS):
        passing[t] = keep * passing[t - 1] + fading * half * side[t - 1]
    mid = value + passing
    price = mid + half * side
    spread = np.full(ROWS, SPREAD)
    return {"price": price, "mid": mid, "direction": side.astype(np.int64), "spread": spread}


def near(values, expected, spread_of=None):
    """Hold a mean to what was planted within four standard errors (of rows far apart)."""
    known = values[np.isfinite(values)]
    error = known.std(ddof=1) / np.sqrt(len(known) / 50)  # 50 rows of horizon overlap
    assert abs(known.mean() - expected) < 4.0 * error, (known.mean(), expected, error)


def test_effective_is_realized_plus_impact():
    columns = market(0.4)
    effective = of_type("effective_spread", columns)
    realized = of_type("realized_spread", columns, horizon=20)
    impact = of_type("price_impact", columns, horizon=20)
    np.testing.assert_allclose(realized[20:] + impact[20:], effective[:-20], atol=1e-12)
    assert np.isnan(realized[:20]).all() and np.isnan(impact[:20]).all()


@pytest.mark.parametrize("share", [0.0, 0.35, 0.9])
def test_the_planted_share_of_information_is_found(share):
    columns = market(share)
    near(of_type("realized_spread", columns), (1.0 - share) * SPREAD)
    near(of_type("price_impact", columns), share * SPREAD)
    ratio = of_type("permanent_impact_ratio", columns, window=10_000)[[15_000, 25_000, 35_000]]
    # the impact over 50 rows has a deviation of 2 (0.003^2 + (share half)^2)^.5 50^.5
    noise = 2.0 * np.sqrt(50 * (0.003**2 + (share * 0.01) ** 2)) / SPREAD
    assert (np.abs(ratio - share) < 4.0 * noise / np.sqrt(10_000 / 50)).all()
    near(of_type("immediate_market_impact", columns, window=2), 1e4 * share * 0.5 * SPREAD / 100.0)
    assert np.abs(of_type("effective_quoted_ratio", columns)[200:] - 1.0).max() < 1e-9


def test_what_fades_is_told_from_what_stays():
    columns = market(0.3, fading=0.6, keep=0.8)
    decay = of_type("temporary_impact_decay", columns, early=2, horizon=40, window=10_000)
    response = [0.3 + 0.6 * 0.8 ** (k - 1) for k in (2, 40)]
    expected = 1.0 - response[1] / response[0]
    # noise of the late move over the early one, of 10,000 sums that overlap 40 times
    noise = np.sqrt(40 * (0.003**2 + 0.003**2)) / (response[0] * 0.01) * np.sqrt(40 / 10_000)
    assert abs(decay[-1] - expected) < 4.0 * noise
    stays = of_type("temporary_impact_decay", market(0.8), early=2, horizon=40, window=10_000)
    assert abs(stays[-1]) < 4.0 * noise


def test_over_time_the_judged_trade_is_the_newest_one_that_is_old_enough():
    columns = market(0.5)
    columns = {name: column[:500] for name, column in columns.items()}
    columns["processed_time"] = 1_700_000_000_000_000_000 + 10**9 * np.arange(500)
    rows = {name: of_type(name, columns, horizon=5) for name in ("realized_spread", "price_impact")}
    for name, per_row in rows.items():
        found = of_type(f"{name}_after", columns, horizon="5s", patience="6s")
        base = columns["mid"] if name == "realized_spread" else np.roll(columns["mid"], 5)
        np.testing.assert_allclose(found[5:], (1e4 * per_row / base)[5:], atol=1e-6)
        assert np.isnan(found[:5]).all()
        assert np.isnan(of_type(f"{name}_after", columns, horizon="5s", patience="5s")).all()


def test_a_trade_of_unknown_side_is_not_judged():
    columns = market(0.5)
    columns["direction"][::7] = 0
    for name, delay in (("effective_spread", 0), ("realized_spread", 50), ("price_impact", 50)):
        unknown = np.isnan(of_type(name, columns))[delay:]
        np.testing.assert_array_equal(unknown, (columns["direction"] == 0)[: ROWS - delay])
