"""Price and cumulated flow that part ways: constructed cases with known strengths."""

from __future__ import annotations

import numpy as np
import pytest

from tests.literature.library_types import values

ROWS = 40
LINE = 100.0 + np.arange(ROWS) * 0.5
FLAT = np.full(ROWS, 100.0)
BUYS, SELLS = np.full(ROWS, 3.0), np.zeros(ROWS)


def columns(price, flow):
    return {
        "price": price,
        "buy_volume": np.maximum(flow, 0.0),
        "sell_volume": np.maximum(-flow, 0.0),
    }


def strength(price, flow, **given):
    return values("cvd_divergence", columns(price, flow), window=ROWS, **given)[-1]


def trusted(price, flow, **given):
    return values("cvd_divergence_override", columns(price, flow), window=ROWS, **given)[-1]


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_straight_lines_apart_have_strength_one_and_together_none(side):
    flow = np.full(ROWS, 3.0 * side)
    assert strength(200.0 - LINE * side, flow) == 1.0
    assert strength(LINE * side + 500.0, flow) == 0.0


def test_a_price_or_a_flow_that_stands_still_parts_from_nothing():
    assert strength(FLAT, BUYS) == 0.0
    assert strength(LINE, np.zeros(ROWS)) == 0.0


def test_the_strength_is_that_of_the_weaker_move():
    """A price that jumps back and forth and ends a little lower, against steady buying."""
    price = 100.0 + np.where(np.arange(ROWS) % 2 == 0, 1.0, -1.0) - 0.01 * np.arange(ROWS)
    fall, width = 0.01 * ROWS / 2, 2.0 + 0.01 * (ROWS - 1)
    assert strength(price, BUYS) == pytest.approx(2.0 * fall / width)


def test_a_strong_divergence_overrides_momentum_and_a_weak_one_does_not():
    assert trusted(LINE, BUYS) == 1.0
    assert trusted(200.0 - LINE, BUYS) == 1.0  # the price falls, the flow is believed
    assert trusted(LINE, -BUYS) == -1.0
    price = 100.0 + np.where(np.arange(ROWS) % 2 == 0, 1.0, -1.0) - 0.01 * np.arange(ROWS)
    assert strength(price, BUYS) < 0.3
    assert trusted(price, BUYS) == -1.0
    assert trusted(price, BUYS, threshold=0.1) == 1.0


def test_noise_seldom_diverges_strongly():
    draw = np.random.default_rng(6)
    rows = 20_000
    price = draw.normal(0.0, 1.0, rows).cumsum() + 1e4
    together = draw.normal(0.0, 1.0, rows) + 2.0 * np.diff(price, prepend=price[0])
    apart = draw.normal(0.0, 1.0, rows) - 2.0 * np.diff(price, prepend=price[0])
    with_it = values("cvd_divergence", columns(price, together), window=100)[99:]
    against = values("cvd_divergence", columns(price, apart), window=100)[99:]
    assert with_it.min() >= 0.0 and against.max() <= 1.0
    assert (with_it > 0.3).mean() < 0.05
    assert (against > 0.3).mean() > 0.5
