"""Bars of the reference tick table (100 ticks) against the published numbers."""

import csv
from fractions import Fraction

import numpy as np
import pytest

from qf.bar_clock import Units, add_bars, bar_clock
from qf.testing.contract_bars import run, tick_plan

UNITS = Units(tick=Fraction(1, 4), lot=Fraction(1), value=Fraction(1, 4))


@pytest.fixture
def tape(shared_data):
    with (shared_data / "golden/tick_data.csv").open() as lines:
        rows = [(Fraction(r["Price"]) * 4, int(r["Volume"])) for r in csv.DictReader(lines)]
    price, size = (np.array([int(row[k]) for row in rows]) for k in (0, 1))
    assert len(rows) == 100 and [row[0] for row in rows] == price.tolist()
    times = 1_312_152_000_000_000_000 + np.arange(100) * 1_000_000_000
    return {
        "price_ticks": price,
        "size_lots": size,
        "value_units": price * size,
        "direction": np.zeros(100, np.int64),
        "event_time": times,
        "processed_time": times,
        "seq": np.arange(100),
        "quality": np.zeros(100, np.int64),
        "mid": price / 4,
        "spread": np.ones(100),
        "x": np.ones(100),
    }


def bars_of(entry, tape):
    plan, tick = tick_plan()
    clock = bar_clock(entry, UNITS)
    for name, column in add_bars(plan, clock, tick).items():
        plan.read(name, column)
    return run(plan, tape)[clock.name]


def test_the_first_dollar_bar_is_the_published_one(tape):
    bars = bars_of({"type": "dollar", "threshold": 100000}, tape)
    first = [bars[name][0] for name in ("open", "high", "low", "close")]
    assert first == [1205.0, 1904.75, 1005.0, 1304.5]


def test_the_first_volume_bar_closes_where_published(tape):
    assert bars_of({"type": "volume", "threshold": 30}, tape)["close"][0] == 1304.75


@pytest.mark.parametrize(
    ("entry", "count"),
    [
        ({"type": "dollar", "threshold": 1000}, 99),
        ({"type": "volume", "threshold": 30}, 7),
        ({"type": "volume", "threshold": 5}, 32),
        ({"type": "tick", "count": 10}, 10),
    ],
    ids=str,
)
def test_as_many_bars_close_as_published(tape, entry, count):
    bars = bars_of(entry, tape)
    assert len(bars["bar_id"]) == count


def test_vwap_weighs_every_trade_by_its_size(tape):
    bars = bars_of({"type": "tick", "count": 10}, tape)
    price, size = tape["price_ticks"][:10] / 4, tape["size_lots"][:10]
    assert bars["vwap"][0] == pytest.approx(float((price * size).sum() / size.sum()), rel=1e-15)
