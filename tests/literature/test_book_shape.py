"""Depth, slope, walk and queue of the book: each against the same thing done by hand."""

from __future__ import annotations

import numpy as np
import pytest

import qf
from literature.book_types import of_type, random_books

ROWS, LEVELS = 300, 6


@pytest.fixture(scope="module")
def books():
    return random_books(ROWS, LEVELS, seed=5)


def side_of(books, side):
    """Return prices and sizes of one side, rows by levels."""
    return tuple(
        np.stack([books[f"{side}_{what}_{level}"] for level in range(LEVELS)], axis=1)
        for what in ("price", "size")
    )


def walked(prices, sizes, wanted):
    """Return the mean price of an order that takes level by level."""
    left, paid = wanted, 0.0
    for price, size in zip(prices, sizes, strict=True):
        take = min(left, size)
        paid, left = paid + take * price, left - take
        if left <= 0.0:
            return paid / wanted
    return np.nan


@pytest.mark.parametrize(("side", "book"), [("buy", "ask"), ("sell", "bid")])
def test_an_order_walks_the_levels_one_by_one(books, side, book):
    prices, sizes = side_of(books, book)
    for wanted in (0.01, 1.0, 4.0, 9.0):
        found = qf.formula(f'walk_price({wanted}, "{side}", {LEVELS})').run(books)
        expected = [walked(p, s, wanted) for p, s in zip(prices, sizes, strict=True)]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isnan(found).any()  # of the last one the book holds too little


def test_a_level_that_is_not_needed_may_be_missing(books):
    holed = {**books, "ask_size_3": np.full(ROWS, np.nan)}
    found = qf.formula('walk_price(0.001, "buy", 5)').run(holed)
    np.testing.assert_array_equal(found, books["ask_price_0"])
    assert np.isnan(qf.formula('walk_price(50, "buy", 5)').run(holed)).all()


def test_the_cost_of_a_flat_book_grows_with_no_power_and_of_an_even_one_with_one(books):
    flat = {**books, "bid_size_0": np.full(ROWS, 1e9), "ask_size_0": np.full(ROWS, 1e9)}
    curve = of_type("liquidity_consumption_curve", flat)
    np.testing.assert_allclose(curve, 0.0, atol=1e-9)
    even = {"mid": np.full(2, 100.0)}
    for level in range(20):  # the same size at every tick, and no spread: cost = size / 2, ticks
        for side, sign in (("bid", -1.0), ("ask", 1.0)):
            even[f"{side}_price_{level}"] = np.full(2, 100.0 + sign * 0.01 * (level + 0.5))
            even[f"{side}_size_{level}"] = np.full(2, 1.0)
    curve = of_type("liquidity_consumption_curve", even, size_wanted=4, levels=10)
    np.testing.assert_allclose(curve, 1.0, atol=1e-6)


@pytest.mark.parametrize("reach", [1.0, 3.0, 12.0])
def test_depth_near_the_mid_is_what_lies_within_reach(books, reach):
    total = np.zeros(ROWS)
    faded = np.zeros(ROWS)
    for side in ("bid", "ask"):
        prices, sizes = side_of(books, side)
        distance = 1e4 * np.abs(prices - books["mid"][:, None]) / books["mid"][:, None]
        inside = np.where(distance <= reach, sizes, 0.0).sum(axis=1)
        found = qf.formula(f'depth_within({reach}, "{side}", {LEVELS})').run(books)
        np.testing.assert_allclose(found, inside, rtol=1e-12)
        total += inside
        faded += (sizes * np.exp(-distance / reach)).sum(axis=1)
    both = of_type("depth_within_bps", books, reach_bps=reach, levels=LEVELS)
    np.testing.assert_allclose(both, total, rtol=1e-12)
    near = of_type("distance_weighted_depth", books, reach_bps=reach, levels=LEVELS)
    np.testing.assert_allclose(near, faded, rtol=1e-9)


def test_the_slopes_are_least_squares(books):
    for side in ("bid", "ask"):
        prices, sizes = side_of(books, side)
        away = 1e4 * np.abs(prices - books["mid"][:, None]) / books["mid"][:, None]
        lines = [
            np.linalg.lstsq(a[:, None], s.cumsum(), rcond=None)[0][0]
            for a, s in zip(away, sizes, strict=True)
        ]
        found = qf.formula(f'depth_slope("{side}", {LEVELS})').run(books)
        np.testing.assert_allclose(found, lines, rtol=1e-9)
        growth = np.polyfit(np.arange(LEVELS), sizes.T, 1)[0]
        found = qf.formula(f"level_slope({side}_size, {LEVELS})").run(books)
        np.testing.assert_allclose(found, growth, rtol=1e-9, atol=1e-12)


def test_a_queue_gives_back_the_orders_and_cancellations_that_were_planted():
    """One event between two rows at most, so that nothing is netted; some trades share a book."""
    draw = np.random.default_rng(8)
    price, queue, hit = 1000, 500, 0  # ticks and lots: nothing is rounded
    rows, added, cancelled = [], [], []
    for _ in range(4_000):
        gain = loss = 0
        shown = draw.random() < 0.7  # else the trade of before is not in the book yet
        if shown:
            queue, hit = queue - hit, 0
            kind = draw.choice(["add", "cancel", "better", "gone", "none"])
            if kind == "add":
                gain = int(draw.integers(1, 200))
            elif kind == "cancel" and queue > 1:
                loss = int(draw.integers(1, queue))
            elif kind == "better":
                price, gain, queue = price + 1, int(draw.integers(50, 500)), 0
            elif kind == "gone":
                price, loss = price - 1, queue
                queue = loss + int(draw.integers(50, 500))
            queue += gain - loss
            if rows and (price, queue) == rows[-1][:2] and kind == "add":
                queue, gain = queue + 1, gain + 1  # as much as was traded: nobody could see it
        trade = int(draw.integers(0, max(queue - hit - 1, 0) + 1)) if draw.random() < 0.6 else 0
        hit += trade
        rows.append((price, queue, trade))
        added.append(gain)
        cancelled.append(loss)
    table = np.array(rows, float).T
    columns = {"bid_price_0": table[0], "bid_size_0": table[1], "sell_volume": table[2]}
    for what, planted in (("added", added), ("cancelled", cancelled)):
        text = f'queue_flow.{what}(bid_price_0, bid_size_0, sell_volume, "bid")'
        found = qf.formula(text).run(columns)
        np.testing.assert_array_equal(found[1:], planted[1:])
    turned = {"ask_price_0": 5000.0 - columns["bid_price_0"], "ask_size_0": columns["bid_size_0"]}
    turned["buy_volume"] = columns["sell_volume"]
    text = 'queue_flow.added(ask_price_0, ask_size_0, buy_volume, "ask")'
    np.testing.assert_array_equal(qf.formula(text).run(turned)[1:], added[1:])


def test_the_update_rate_is_that_of_the_changes_that_trades_meet():
    draw = np.random.default_rng(12)
    changes = draw.exponential(1.0 / 25.0, 60_000).cumsum()  # 25 a second
    trades = np.sort(draw.uniform(10.0, changes[-1], 8_000))
    age = 1000.0 * (trades - changes[np.searchsorted(changes, trades) - 1])
    found = of_type("orderbook_update_rate", {"book_age_ms": age}, window=8_000)[-1]
    # trades fall into 2400 s: the mean age of that many gaps has a relative error of 1 / sqrt(n)
    assert abs(found / 25.0 - 1.0) < 4.0 * np.sqrt(2.0 / 8_000)
