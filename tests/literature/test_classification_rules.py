"""Trade classification: each rule on constructed trades, and the ways they part."""

from __future__ import annotations

import math

import numpy as np
import pytest

import qf
from tests.literature.library_types import values

NAN = math.nan
BID, ASK = 100.0, 101.0
MID = 0.5 * (BID + ASK)


def sides(call, price, **columns):
    """Return the sides that a rule finds; a number stands for a column of it."""
    price = np.asarray(price, float)
    given = {
        name: np.broadcast_to(np.asarray(value, float), price.shape).copy()
        for name, value in columns.items()
    }
    data = {"price": price, **given}
    return qf.formula(call, columns=list(data)).run(data).tolist()


def test_the_tick_rule_repeats_the_last_move_and_begins_unknown():
    assert sides("tick_rule(price)", [5, 5, 6, 6, 5, 5, 5, 7]) == [0, 0, 1, 1, -1, -1, -1, 1]


def test_a_missing_price_is_no_move():
    found = sides("tick_rule(price)", [5, 6, NAN, 6, NAN, 5])
    assert found[:2] == [0, 1] and math.isnan(found[2])
    assert found[3] == 1 and found[5] == -1


def test_the_quote_rule_is_silent_at_the_mid():
    assert sides("quote_rule(price, mid)", [BID, MID, ASK], mid=MID) == [-1, 0, 1]


def test_lee_ready_asks_the_tick_rule_at_the_mid_alone():
    price = [MID, 100.9, MID, 100.1, MID, MID]
    assert sides("lee_ready(price, mid)", price, mid=MID) == [0, 1, -1, -1, 1, 1]


def test_no_quote_leaves_the_tick_rule_and_no_evidence_leaves_unknown():
    price = np.array([5.0, 5.0, 6.0])
    for call in ("lee_ready(price, mid)", "emo(price, mid, mid)", "clnv(price, mid, mid)"):
        assert sides(call, price, mid=NAN) == [0, 0, 1], call


def test_the_lag_of_1991_looks_at_an_older_quote():
    """The quote follows the trade into its own row: only the one before tells the side."""
    mid = [100.0, 100.0, 102.0, 100.0]
    price = [100.0, 100.0, 101.0, 101.0]
    data = {"price": np.array(price), "mid": np.array(mid)}
    call = qf.formula("lee_ready(price, lag(mid, 1))", columns=["price", "mid"])
    assert call.run(data).tolist()[2] == 1
    now = qf.formula("lee_ready(price, mid)", columns=["price", "mid"])
    assert now.run(data).tolist()[2] == -1


def test_emo_trusts_the_quotes_themselves_and_nothing_near_them():
    price = [100.5, ASK, 100.9, BID, 100.1, 102.0]
    found = sides("emo(price, bid, ask)", price, bid=BID, ask=ASK)
    assert found == [0, 1, -1, -1, 1, 1]


def test_clnv_trusts_the_outer_thirds_of_the_spread_only():
    price = [100.5, 100.71, 100.6, 100.29, 100.35, 101.5, 101.2]
    found = sides("clnv(price, bid, ask)", price, bid=BID, ask=ASK)
    # in the ask's third; fell to the middle; in the bid's; rose; rose beyond; fell, still beyond
    assert found == [0, 1, -1, -1, 1, 1, -1]


@pytest.mark.parametrize("inside", [0.0, 0.4])
def test_on_a_simulated_market_the_rules_are_as_good_as_their_papers_say(inside):
    """Sides are known. At the quotes all quote rules are perfect; inside the spread they part.

    `inside` of the trades have a price drawn within the spread on their side of the mid. Errors
    of a share of 20,000 are below .01 (three deviations).
    """
    draw = np.random.default_rng(5)
    rows = 20_000
    mid = 1_000.0 + draw.choice([-0.5, 0.0, 0.5], rows).cumsum()
    side = draw.choice([-1.0, 1.0], rows)
    depth = np.where(draw.random(rows) < inside, draw.uniform(0.05, 0.5, rows), 0.5)
    data = {"price": mid + side * depth, "mid": mid, "bid": mid - 0.5, "ask": mid + 0.5}
    right = {}
    for call in (
        "tick_rule(price)", "quote_rule(price, mid)", "lee_ready(price, mid)",
        "emo(price, bid, ask)", "clnv(price, bid, ask)",
    ):  # fmt: skip
        found = qf.formula(call, columns=list(data)).run(data)
        right[call.partition("(")[0]] = float(np.mean(found == side))
    print(inside, {name: round(share, 3) for name, share in right.items()})
    assert right["lee_ready"] == right["quote_rule"] == 1.0
    assert 0.6 < right["tick_rule"] < 0.95
    if inside:
        assert 1.0 > right["clnv"] > right["emo"] > right["tick_rule"]
    else:
        assert right["emo"] == right["clnv"] == 1.0


def test_the_quality_types_say_how_far_to_trust_the_sides():
    columns = {
        "price": np.array([MID, ASK, MID, BID, ASK, MID]),
        "mid": np.r_[np.full(5, MID), NAN],
        "direction": np.array([1.0, 1.0, -1.0, -1.0, -1.0, -1.0]),
        "bid_price_0": np.full(6, BID),
        "ask_price_0": np.full(6, ASK),
    }
    # found: unknown, +1, -1, -1, +1, -1 against the tape's
    assert values("side_agreement", columns, window=6)[-1] == pytest.approx(4 / 6)
    assert values("off_quote_share", columns, window=6)[-1] == pytest.approx(3 / 6)
