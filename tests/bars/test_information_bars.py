"""Bars by volatility, by CUSUM events and by a share of the days before: what each promises."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from bars.test_reference_bars import UNITS
from qf.bar_clock import CLOSES_WITH, add_bars, bar_clock
from qf.clock import DAY_NS
from qf.op import find
from qf.program import Plan, Program
from qf.testing.contract_bars import run, tick_plan


def tape_of(price, times, size=None):
    rows = len(price)
    size = np.ones(rows, np.int64) if size is None else size
    return {
        "price_ticks": price.astype(np.int64),
        "size_lots": size,
        "value_units": price.astype(np.int64) * size,
        "direction": np.ones(rows, np.int64),
        "event_time": times,
        "processed_time": times,
        "seq": np.arange(rows),
        "quality": np.zeros(rows, np.int64),
        "mid": price * 0.25,
        "spread": np.ones(rows),
        "x": np.ones(rows),
    }


def walk(rows, seed, step=10.0):
    draw = np.random.default_rng(seed)
    price = 1_000_000 + np.rint(draw.normal(0.0, step, rows).cumsum())
    return tape_of(price, np.arange(rows) * 1_000_000 + 19_000 * DAY_NS)


def bars_of(entry, tape):
    plan, tick = tick_plan()
    clock = bar_clock(entry, UNITS)
    for name, column in add_bars(plan, clock, tick).items():
        plan.read(name, column)
    return clock, run(plan, tape)[clock.name]


def test_volatility_bars_of_span_one_hold_as_much_realised_volatility_each():
    tape = walk(20_000, 1)
    _, bars = bars_of({"type": "volatility", "bps": 2, "span": 1}, tape)
    returns = np.diff(tape["price_ticks"]) / tape["price_ticks"][:-1]
    for first, last in zip(bars["first_row"][1:], bars["close_row"][1:], strict=True):
        squares = (returns[first - 1 : last] ** 2).cumsum()
        assert 1e4 * np.sqrt(squares[-1]) >= 2.0 > 1e4 * np.sqrt(squares[-2])


def test_volatility_bars_come_faster_where_the_market_moves_more():
    calm, wild = walk(10_000, 2), walk(10_000, 2, 30.0)
    counts = [len(bars_of({"type": "volatility", "bps": 5}, t)[1]["bar_id"]) for t in (calm, wild)]
    assert counts[1] == pytest.approx(9 * counts[0], rel=0.1)


def test_a_cusum_bar_ends_where_the_published_filter_has_an_event():
    tape = walk(20_000, 3)
    _, bars = bars_of({"type": "cusum", "bps": 1.5}, tape)
    events, up, down = [], 0.0, 0.0
    returns = np.diff(tape["price_ticks"]) / tape["price_ticks"][:-1]
    for t, r in enumerate(returns, 1):
        up, down = max(0.0, up + r), min(0.0, down + r)
        if down <= -1.5e-4:
            down = 0.0
            events.append(t)
        elif up >= 1.5e-4:
            up = 0.0
            events.append(t)
    assert bars["close_row"].tolist() == events and len(events) > 100


def test_a_price_that_stays_about_one_level_has_no_event():
    price = 1_000_000 + np.tile([0, 60, 0, -60], 500)
    tape = tape_of(price, np.arange(2_000) + 19_000 * DAY_NS)
    assert len(bars_of({"type": "cusum", "bps": 1.5}, tape)[1]["bar_id"]) == 0
    assert len(bars_of({"type": "cusum", "bps": 0.5}, tape)[1]["bar_id"]) > 900


@pytest.fixture
def days():
    """Give ten days of 1,000 trades whose sizes double from day to day."""
    size = np.repeat(2 ** np.arange(10), 1_000)
    times = 19_000 * DAY_NS + np.arange(10_000) * (DAY_NS // 1_000)
    return tape_of(np.full(10_000, 4_000), times, size)


def thresholds_met(bars, of):
    return bars["volume_lots" if of == "volume" else "value_units"]


def test_a_threshold_is_a_share_of_the_days_before_and_stands_for_a_day(days):
    entry = {"type": "adaptive", "share": 0.01, "days": 2, "first": 50, "of": "volume"}
    _, bars = bars_of({**entry, "reset": "day"}, days)
    day = days["processed_time"][bars["first_row"]] // DAY_NS - 19_000
    whole = [1_000 * 2**k for k in range(10)]
    for number in range(10):
        past = whole[1:number][-2:]  # the first day is left out
        wanted = -(-sum(past) * Fraction(1, 100) // len(past)) if past else 50
        own = thresholds_met(bars, "volume")[day == number]
        closed = own[:-1] if number < 9 else own  # the last of a day was cut by midnight
        assert set(closed.tolist()) == {-(-wanted // 2**number) * 2**number}, number


def test_the_future_of_a_day_does_not_move_its_threshold(days):
    entry = {"type": "adaptive", "share": 0.01, "days": 3, "first": 100}
    whole = bars_of(entry, days)[1]["close_row"]
    spoilt = {name: column.copy() for name, column in days.items()}
    spoilt["size_lots"][5_500:] *= 1_000
    spoilt["value_units"][5_500:] *= 1_000
    again = bars_of(entry, spoilt)[1]["close_row"]
    assert whole[whole < 5_500].tolist() == again[again < 5_500].tolist()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["imbalance_afml", "run_afml"])
def test_what_is_expected_goes_on_where_its_window_is_full(name, seed):
    draw, rows, window = np.random.default_rng(seed), 260, 60
    columns = {
        "size_lots": draw.integers(1, 50, rows),
        "value_units": draw.integers(1, 9_000, rows),
        "direction": draw.choice([-1, 0, 1], rows, p=[0.3, 0.1, 0.6]),
        "processed_time": np.arange(rows) * 600_000_000_000,
    }
    rule, plan = find(name, "bars"), Plan()
    settings = {"ticks": 4, "window": window, "bars": 3, "reset": "day" if seed % 2 else "never"}
    settings |= {"clamp": 0.4 * (seed > 2), "floor": 0.5} if name == "imbalance_afml" else {}
    plan.clock("tick")
    given = [plan.feed(each, "int") for each in columns]
    plan.read("close", plan.one(rule, given, **settings))
    made = Program(plan, 7).push(columns)["tick"]["close"]
    bound = rule.bind(**settings)
    past = [column.tolist() for column in columns.values()]
    told = [
        rule.rules["definition"](*(each[: t + 1] for each in past), **bound) for t in range(rows)
    ]
    assert made.tolist() == told
    assert sum(code & CLOSES_WITH > 0 for code in told[window:]) > 3


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"type": "imbalance_afml", "ticks": 1000}, "imbalance_afml_k_1000"),
        (
            {"type": "imbalance_afml", "ticks": 500, "clamp": 0.1, "of": "ticks"},
            "imbalance_afml_k_500_clamp_0p1_ticks",
        ),
        ({"type": "run_afml", "ticks": 200, "cap": 4}, "run_afml_k_200_cap_4"),
        ({"type": "volatility", "bps": 10}, "volatility_bps_10"),
        ({"type": "volatility", "bps": 2.5, "span": 1}, "volatility_bps_2p5_span_1"),
        ({"type": "cusum", "bps": 20, "reset": "day"}, "cusum_bps_20_day"),
        ({"type": "adaptive", "share": 0.002}, "adaptive_share_0p002"),
        ({"type": "adaptive", "share": 0.002, "days": 30}, "adaptive_share_0p002_days_30"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_clock_is_named_by_its_number_and_by_what_is_not_the_default(entry, name):
    assert bar_clock(entry, UNITS).name == name
