"""The fitted micro-price: it finds a planted chain, and it is a martingale where others are not."""

from __future__ import annotations

import numpy as np
import pytest

import qf
from literature.book_types import of_type

TICK = 0.01
# A chain over four imbalances, bid-heavy last: where it goes, and the chance of a tick up or down.
SIZES = ((2.0, 6.0), (3.5, 4.5), (4.5, 3.5), (6.0, 2.0))
STAY = np.array([[0.80, 0.15, 0.05, 0.0], [0.15, 0.70, 0.12, 0.03]])
STAY = np.vstack([STAY, STAY[::-1, ::-1]])
UP = np.array([0.01, 0.03, 0.06, 0.15])
AFTER_UP = np.array([0.1, 0.2, 0.3, 0.4])  # the side that won stays the heavier one
ROWS = 60_000


def simulate(seed, rows=ROWS):
    """Return the columns of a path of the chain."""
    draw = np.random.default_rng(seed)
    moves, places = draw.random(rows), draw.random(rows)
    ways = {0: STAY.cumsum(axis=1), 1: AFTER_UP.cumsum(), -1: AFTER_UP[::-1].cumsum()}
    state, ticks = 1, 1_000_000
    states, mids = np.empty(rows, int), np.empty(rows)
    for t in range(rows):
        states[t], mids[t] = state, ticks
        step = 1 if moves[t] < UP[state] else (-1 if moves[t] > 1.0 - UP[3 - state] else 0)
        row = ways[0][state] if step == 0 else ways[step]
        ticks += step
        state = min(int(np.searchsorted(row, places[t], side="right")), 3)
    bid, ask = (np.array([size[k] for size in SIZES])[states] for k in (0, 1))
    mid = TICK * mids
    columns = {"mid": mid, "bid_size_0": bid, "ask_size_0": ask, "spread_ticks": np.ones(rows)}
    columns["weighted_mid"] = mid + 0.5 * TICK * (bid - ask) / (bid + ask)
    return states, columns


def expected_changes():
    """Return the true g of each state, by the full chain."""
    chain = np.zeros((4, 4))
    for state in range(4):
        up, down = UP[state], UP[3 - state]
        chain[state] = (1 - up - down) * STAY[state] + up * AFTER_UP + down * AFTER_UP[::-1]
    rate = TICK * (UP - UP[::-1])
    # the sum of all changes is finite: the chain is symmetric, so its long-run mean change is 0
    return np.linalg.lstsq(np.eye(4) - chain, rate, rcond=None)[0]


@pytest.fixture(scope="module")
def paths():
    return [simulate(seed) for seed in range(6)]


def fitted(columns, refit):
    text = f"microprice_stoikov(bid_size_0, ask_size_0, spread_ticks, mid, 4, 1, {refit})"
    return qf.formula(text).run(columns)


def test_the_planted_chain_is_found(paths):
    truth = expected_changes()
    truth -= truth.mean()  # up to a constant, which symmetry makes 0
    found = []
    for states, columns in paths:
        premium = (fitted(columns, ROWS - 4_000) - columns["mid"])[-4_000:]
        found.append([premium[states[-4_000:] == state].mean() for state in range(4)])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    print("planted", truth / TICK, "found", mean / TICK, "+-", error / TICK)
    assert (np.abs(mean - truth) < 4.0 * error + 1e-3 * TICK).all()


def drift(states, price, ahead=40):
    """Return per state the sum of the price's changes and its variance; none overlap."""
    rows = np.arange(20_000, len(price) - ahead, ahead)
    gone = price[rows + ahead] - price[rows]
    return [
        (part.sum(), part.var(ddof=1) * len(part))
        for part in (gone[states[rows] == state] for state in range(4))
    ]


def test_it_is_a_martingale_and_neither_mid_nor_weighted_mid_is(paths):
    worst = {}
    for name in ("fitted", "mid", "weighted_mid"):
        sums = np.zeros((4, 2))
        for states, columns in paths:
            price = fitted(columns, 5_000) if name == "fitted" else columns[name]
            sums += drift(states, price)
        worst[name] = np.abs(sums[:, 0] / np.sqrt(sums[:, 1])).max()
    print({name: round(float(value), 1) for name, value in worst.items()}, "standard errors")
    assert worst["fitted"] < 3.5  # the largest of four
    assert worst["mid"] > 6.0
    assert worst["weighted_mid"] > 4.0


def test_a_fit_knows_nothing_of_what_comes(paths):
    _, columns = paths[0]
    late = {name: column.copy() for name, column in columns.items()}
    late["mid"][30_000:] += 5.0 * TICK * np.arange(ROWS - 30_000)
    before = fitted(columns, 1_000)[:30_000]
    np.testing.assert_array_equal(before, fitted(late, 1_000)[:30_000])


def test_premium_and_drift_are_in_basis_points(paths):
    _, columns = paths[0]
    price = of_type("microprice_stoikov", columns)
    premium = of_type("microprice_stoikov_premium", columns)
    np.testing.assert_allclose(premium, 1e4 * (price / columns["mid"] - 1.0), atol=1e-8)
    moved = of_type("microprice_drift", columns, window=10)
    expected = 1e4 * np.log(price[10:] / price[:-10])
    np.testing.assert_allclose(moved[10:], expected, atol=1e-8)
