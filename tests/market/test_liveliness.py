"""What the seeded market is for: flow that moves the price, and clocks that close often enough."""

import json

import numpy as np
import pytest

from qf.testing.market import NO_FAULTS, Market, MarketSettings, simulated_feed


def quotes_and_trades(frames):
    quotes, trades = [], []
    for receive_ns, frame in frames:
        message = json.loads(frame)
        data = message.get("data", message)
        if "B" in data:
            quotes.append((receive_ns, *(float(data[name]) for name in "bBaA")))
        elif "t" in data:
            side = -1.0 if data["m"] else 1.0
            trades.append((receive_ns, float(data["p"]), float(data["q"]), side, data["T"]))
    return np.array(quotes), np.array(trades)


@pytest.fixture(scope="module")
def half_hour():
    feed = simulated_feed({"seed": 7, "minutes": 30}, "binance_spot", "BTCUSDT")
    return quotes_and_trades(feed.source("simulated_market").open())


def order_flow_r2(quotes, seconds):
    """R2 of the mid change on the order flow imbalance (Cont, Kukanov & Stoikov 2014)."""
    time, bid, bid_size, ask, ask_size = quotes.T
    flow = np.zeros(len(time))
    flow[1:] = (
        (bid[1:] >= bid[:-1]) * bid_size[1:]
        - (bid[1:] <= bid[:-1]) * bid_size[:-1]
        - (ask[1:] <= ask[:-1]) * ask_size[1:]
        + (ask[1:] >= ask[:-1]) * ask_size[:-1]
    )
    place = ((time - time.min()) // (seconds * 1e9)).astype(int)
    total = np.bincount(place, flow)
    last = np.searchsorted(place, np.arange(len(total)), side="right") - 1
    change = np.diff((0.5 * (bid + ask))[last])
    return np.corrcoef(total[1:], change)[0, 1] ** 2


def bars(trades, rule):
    """Count what each clock of the walkthrough closes, by the plainest loop."""
    total, closed, previous = 0.0, 0, 0.0
    for _, price, size, side, _ in trades:
        if rule == "dollar":
            total += price * size
            done = total >= 50_000
        elif rule == "imbalance":
            total += side * size
            done = abs(total) >= 10
        else:
            total = total + 1 if side == previous else 1
            previous = side
            done = total >= 10
        if done:
            total, previous, closed = 0.0, 0.0, closed + 1
    return closed


def test_every_clock_of_the_walkthrough_closes_150_bars_in_the_default_half_hour(half_hour):
    _, trades = half_hour
    counts = {rule: bars(trades, rule) for rule in ("dollar", "imbalance", "run")}
    counts["tick"] = len(trades) // 50
    assert min(counts.values()) > 150, counts


def test_order_flow_explains_the_mid_in_a_busy_market_and_in_a_quiet_one(half_hour):
    quotes, _ = half_hour
    assert 0.4 < order_flow_r2(quotes[np.argsort(quotes[:, 0], kind="stable")], 1) < 0.9
    calm = Market(MarketSettings(seed=3, faults=NO_FAULTS, keep_truth=False))
    quotes, trades = quotes_and_trades(calm.frames(43_200))
    assert 0.4 < order_flow_r2(quotes, 10) < 0.9
    # a tenth of the 5-day tape closes a tenth of the 1,200 bars asked of it, with room to spare
    assert bars(trades, "imbalance") > 150
    assert bars(trades, "run") > 150
    assert bars(trades, "dollar") > 150
    assert len(trades) // 50 > 150


def test_signs_persist_and_prints_share_their_millisecond(half_hour):
    _, trades = half_hour
    sides, times = trades[:, 3], trades[:, 4]
    assert 0.5 < np.corrcoef(sides[:-1], sides[1:])[0, 1] < 0.9
    assert np.corrcoef(sides[:-10], sides[10:])[0, 1] > 0.1
    assert 0.4 < (np.diff(times) == 0).mean() < 0.8


def test_activity_comes_in_clusters(half_hour):
    _, trades = half_hour
    seconds = ((trades[:, 4] - trades[0, 4]) // 1_000).astype(int)
    counts = np.bincount(seconds)
    assert counts.var() > 3 * counts.mean()
