"""Bets filled by walking a book: hand-made fills, and what a spread costs on a fair walk."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qf.labels.executable_barrier import SIDES
from qf.op import find
from qf.schema import BIT

OP = find("executable_barrier", "labels")
MS = 1_000_000


def bets(price, bar_every: int, depth: float = 1.0, half: float = 0.01, **parameters) -> list[dict]:
    """Return the labels of bars of `bar_every` trades, one a ms, in a book of equal levels."""
    price = np.asarray(price, float)
    rows = np.arange(len(price))
    close = rows[bar_every - 1 :: bar_every]
    levels = {}
    for name in SIDES:
        side, what, level = name.split("_")
        away = (half + 0.01 * int(level)) * (1 if side == "ask" else -1)
        levels[name] = (price + away if what == "price" else np.full(len(price), depth)).tolist()
    columns = {
        "bar": range(len(close)),
        "known_time": (close * MS).tolist(),
        "known_row": close.tolist(),
        "close_row": close.tolist(),
        "trade_price": price.tolist(),
        "trade_time": (rows * MS).tolist(),
        **levels,
    }
    given = [list(columns.get(i.name, [0] * len(close))) for i in OP.signature.inputs]
    return OP.rules["definition"](*given, **OP.bind(**parameters))


def test_an_order_walks_its_levels_late_and_pays_both_fees():
    price = [100.0, 100.0, 100.1, 100.2, 100.3, 100.3, 100.5, 100.4, 100.4, 100.4]
    rows = bets(
        price, 2, upper=2e-3, lower=0.0, vertical_bars=4, size=2.5, latency_ns=2 * MS, fee=1e-4
    )
    # bar 0 is known with trade 1; its order meets trade 3: 1 at 100.21, 1 at 100.22, .5 at 100.23
    entry = (100.21 + 100.22 + 0.5 * 100.23) / 2.5
    # the first price at or above entry · 1.002 is trade 6; the exit meets trade 8
    leave = (100.39 + 100.38 + 0.5 * 100.37) / 2.5
    first = rows[0]
    assert (first["bar_id"], first["barrier"], first["label_end"]) == (0, 1, 9 * MS)
    assert first["ret"] == pytest.approx(leave / entry - 1 - 1e-4 * (1 + leave / entry), rel=1e-9)
    assert first["label"] == 1.0


def test_what_the_levels_do_not_hold_is_null_and_says_so():
    rows = bets(
        [100.0] * 8, 2, depth=0.3, upper=1e-3, lower=1e-3, vertical_bars=1, size=2.0, latency_ns=0
    )
    assert rows and all(math.isnan(row["label"]) and math.isnan(row["ret"]) for row in rows)
    assert {row["quality"] for row in rows} == {BIT["undefined"]}


def test_a_price_that_stands_still_costs_the_spread_and_the_fees():
    """Round trip of one level either way: twice the half spread and twice the fee."""
    (first, *_) = bets(
        [100.0] * 12, 2, upper=0.0, lower=0.0, vertical_bars=2, size=0.5, fee=2e-4, half=0.02
    )
    paid = (100.02 - 99.98) / 100.02
    assert first["ret"] == pytest.approx(-paid - 2e-4 * (1 + 99.98 / 100.02), rel=1e-9)
    assert (first["label"], first["barrier"]) == (-1.0, 0)


@pytest.mark.parametrize("side", ["long", "short"])
def test_on_a_fair_walk_a_bet_loses_what_it_pays(side):
    """A fair walk gives nothing: the mean return is the round trip's cost, within 4 errors."""
    price = 100.0 + 0.01 * np.cumsum(np.random.default_rng(3).choice([-1, 1], 40_000))
    rows = bets(price, 100, upper=4e-4, lower=4e-4, vertical_bars=1, size=0.5, side=side, fee=1e-4)
    rows = rows[::2]  # bets one after the other
    returns = np.array([row["ret"] for row in rows])
    error = returns.std() / math.sqrt(len(returns))
    assert len(returns) > 150
    assert abs(returns.mean() - (-0.02 / 100.0 - 2e-4)) < 4 * error


def test_a_later_order_gets_a_later_price():
    price = [100.0, 100.0, *(100.0 + 0.1 * k for k in range(1, 9)), *[100.8] * 10]
    shape = {"upper": 0.0, "lower": 0.0, "vertical_bars": 5, "size": 0.5}
    early = bets(price, 2, latency_ns=0, **shape)[0]
    late = bets(price, 2, latency_ns=4 * MS, **shape)[0]
    assert early["ret"] == pytest.approx((100.8 - 0.01) / (100.1 + 0.01) - 1, rel=1e-9)
    assert late["ret"] == pytest.approx((100.8 - 0.01) / (100.4 + 0.01) - 1, rel=1e-9)
