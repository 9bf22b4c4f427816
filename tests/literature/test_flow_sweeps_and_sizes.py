"""Sweeps, sizes and persistence on constructed trades."""

from __future__ import annotations

import numpy as np
import pytest

from tests.literature.library_types import values

MS = 1_000_000
START = 1_700_000_000_000 * MS


def trades(rows):
    """Return tick columns of (ms, direction, price, size) rows."""
    table = np.array(rows, float)
    side, size = table[:, 1], table[:, 3]
    return {
        "processed_time": START + (table[:, 0] * MS).astype(np.int64),
        "direction": side,
        "price": table[:, 2],
        "size": size,
        "buy_volume": np.where(side > 0, size, 0.0),
        "sell_volume": np.where(side < 0, size, 0.0),
    }


ROWS = [
    (0, 1, 100.0, 1.0),
    (10, 1, 100.0, 2.0),  # late: a new order
    (10.5, 1, 101.0, 3.0),  # continues
    (11, 1, 102.0, 4.0),
    (11, -1, 99.0, 5.0),  # the other side
    (11.2, -1, 98.0, 1.0),
]


def test_a_sweep_is_one_side_without_a_pause():
    found = values("sweep_size", trades(ROWS))
    assert found[1:].tolist() == [2.0, 5.0, 9.0, 5.0, 6.0]


def test_a_sweeps_distance_is_against_its_taker():
    found = values("sweep_distance_bps", trades(ROWS))
    assert found[1:] == pytest.approx([0.0, 100.0, 200.0, 0.0, 1e4 * (1.0 - 98.0 / 99.0)])


def test_what_continues_a_sweep_is_counted():
    share = values("sweep_share", trades(ROWS), window=4)[-1]
    signed = values("sweep_imbalance", trades(ROWS), window=4)[-1]
    assert (share, signed) == pytest.approx((8.0 / 13.0, 6.0 / 13.0))


def test_who_takes_all_that_was_shown_is_aggressive():
    columns = trades(ROWS)
    columns |= {"bid_size_0": np.full(6, 5.5), "ask_size_0": np.full(6, 5.0)}
    found = values("aggressive_ratio", columns, window=4)[-1]
    # the second print of the buy sweep reaches 5, so do 9; the sells reach 5 of 5.5, then 6
    assert found == pytest.approx((3.0 + 4.0 + 1.0) / 13.0)


def test_the_day_begins_anew_at_midnight():
    day = 86_400_000
    rows = [(k * day // 4, 1 if k % 3 else -1, 100.0, 1.0 + k) for k in range(12)]
    columns = trades(rows)
    found = values("cvd", columns)
    flow = columns["buy_volume"] - columns["sell_volume"]
    days = columns["processed_time"] // (day * MS)
    expected = [flow[: t + 1][days[: t + 1] == days[t]].sum() for t in range(12)]
    assert found[1:] == pytest.approx(expected[1:])
    assert len(set(days.tolist())) > 2


def test_alternating_sides_have_no_persistence_and_runs_have():
    """Independent sides repeat as chance would have it: error 1 / sqrt(window) = .02."""
    draw = np.random.default_rng(2)

    def score(sides):
        return values("flow_persistence_score", {"direction": sides}, window=2_500)[-1]

    chance = np.where(draw.random(2_501) < 0.7, 1.0, -1.0)
    assert abs(score(chance)) < 0.06
    assert score(np.tile([1.0, -1.0], 1_251)[:2_501]) == pytest.approx(-1.0, abs=1e-3)
    keep = np.where(draw.random(2_501) < 0.9, 1.0, -1.0)  # repeats nine times in ten
    assert abs(score(np.cumprod(keep)) - 0.8) < 0.1


def test_large_trades_are_those_above_the_quantile():
    size = np.r_[np.ones(90), np.full(10, 50.0)]
    buys = np.r_[np.zeros(90), np.full(10, 50.0)]
    columns = {"size": size, "buy_volume": buys, "sell_volume": size - buys}
    columns = {name: np.tile(column, 3) for name, column in columns.items()}
    found = values("large_trade_imbalance", columns, window=100, q=0.95)[-1]
    assert found == pytest.approx(500.0 / 590.0)


def test_the_spread_that_the_leader_leaves_is_closed_when_it_is_followed():
    draw = np.random.default_rng(3)
    leader = draw.normal(0.0, 1.0, 3_000)
    own = 0.7 * np.r_[0.0, leader[:-1]] + draw.normal(0.0, 0.1, 3_000)
    columns = {"own_return": own, "leader_return": leader}
    found = values("beta_adjusted_lag_spread", columns, window=500)
    known = found[np.isfinite(found)]
    assert abs(known.std() / 0.1 - 1.0) < 0.1  # what is left is the noise that was added


def test_quoters_lose_what_informed_takers_know():
    """Half-spread .5; the mid moves by `impact` for good with every trade."""
    draw = np.random.default_rng(4)
    side = draw.choice([-1.0, 1.0], 4_000)
    for impact in (0.0, 0.2, 0.5):
        mid = 100.0 + impact * np.r_[0.0, side[:-1].cumsum()]
        columns = {"mid": mid, "price": mid + 0.5 * side, "direction": side}
        found = values("adverse_selection_index", columns, window=3_000, lag=1)[-1]
        assert found == pytest.approx(impact / 0.5, abs=1e-9)


def test_a_breakout_is_measured_in_widths_of_the_range_before():
    high, low = np.full(30, 110.0), np.full(30, 100.0)
    close = np.full(30, 105.0)
    close[26:] = [110.0, 115.0, 95.0, 105.0]
    found = values("breakout_distance", {"high": high, "low": low, "close": close}, window=20)
    assert found[26:] == pytest.approx([0.0, 0.5, -0.5, 0.0])
