"""Bars of the real captures: the published counts, the partition, and several clocks at once."""

import functools

import numpy as np
import pytest

from bars.captures import read_trades, units_of
from qf.bar_clock import add_bars, bar_clocks
from qf.program import Program
from qf.testing.contract_bars import open_bars, partition_error, run, tick_plan

ENTRIES = (
    {"type": "dollar", "threshold": 50000},
    {"type": "imbalance", "k": 10},
    {"type": "tick", "count": 50},
    {"type": "run", "window": 10},
)
# Bars closed per clock, trades; from the data's own README (non-market prints out, overflow drop).
EXPECTED = {
    "spot": (474, 4, 398, 1428, 19904),
    "usdm": (538, 43, 258, 861, 12934),
    "coinm": (284, 2280, 104, 359, 5235),
}
MORE = (
    *ENTRIES,
    {"type": "dollar", "threshold": 50000, "overflow": "carry", "reset": "day"},
    {"type": "dollar", "threshold": 20000, "overflow": "split"},
    {"type": "volume", "threshold": 2, "overflow": "split", "reset": "day"},
    {"type": "volume", "threshold": 5},
    {"type": "imbalance", "k": 30, "of": "ticks", "overflow": "carry"},
    {"type": "imbalance", "k": 100000, "of": "value", "reset": "day"},
    {"type": "time", "seconds": 1},
    {"type": "time", "seconds": 60},
    {"type": "hybrid", "volume": 3, "max_seconds": 2.5},
    {"type": "hybrid", "volume": 3, "max_seconds": 1, "overflow": "split", "reset": "day"},
)
every_capture = pytest.mark.parametrize("capture", list(EXPECTED))


@functools.cache
def tape_of(folder, capture):
    return read_trades(folder, capture)


def plan_of(entries, capture):
    plan, tick = tick_plan()
    clocks = bar_clocks(entries, units_of(capture))
    for clock in clocks:
        for name, column in add_bars(plan, clock, tick).items():
            plan.read(name, column)
    return plan, clocks


@every_capture
def test_bars_closed_per_clock_are_the_published_numbers(shared_data, capture):
    tape = tape_of(shared_data, capture)
    plan, clocks = plan_of(ENTRIES, capture)
    made = run(plan, tape)
    assert [clock.name for clock in clocks] == [
        "dollar_k_50000",
        "imbalance_k_10",
        "tick_k_50",
        "run_w_10",
    ]
    counts = [len(made[clock.name]["bar_id"]) for clock in clocks]
    assert (*counts, len(tape["seq"])) == EXPECTED[capture]


@every_capture
def test_every_rule_partitions_every_capture_in_integers(shared_data, capture):
    tape = tape_of(shared_data, capture)
    plan, clocks = plan_of(MORE, capture)
    program = Program(plan)
    made = program.push(tape)
    rest = open_bars(program)
    for clock in clocks:
        error = partition_error(made[clock.name], rest[clock.name], tape, "split" in clock.fold)
        assert error == "", clock.name
        assert len(made[clock.name]["bar_id"]) > 1, clock.name


@every_capture
def test_many_clocks_at_once_are_the_same_in_any_cut(shared_data, capture):
    tape = tape_of(shared_data, capture)
    plan, _ = plan_of(MORE, capture)
    whole = run(plan, tape)
    draw = np.random.default_rng(7)
    parts = run(plan, tape, draw.integers(1, len(tape["seq"]), 50).tolist(), 97)
    for clock, columns in whole.items():
        for name, column in columns.items():
            np.testing.assert_array_equal(parts[clock][name], column, f"{clock} {name}")


def test_a_split_dollar_bar_is_worth_its_threshold_and_less_than_a_lot_more(shared_data):
    tape = tape_of(shared_data, "spot")
    plan, (clock,) = plan_of([{"type": "dollar", "threshold": 20000, "overflow": "split"}], "spot")
    bars = run(plan, tape)[clock.name]
    over = bars["value_units"] - clock.parameters["threshold_units"]
    assert (over >= 0).all()
    assert (over < bars["close_ticks"]).all()
    assert np.count_nonzero(np.diff(bars["close_row"]) == 0) > 0


def test_inverse_contracts_are_counted_in_contracts_and_valued_in_dollars(shared_data):
    tape = tape_of(shared_data, "coinm")
    plan, (clock,) = plan_of([{"type": "dollar", "threshold": 50000}], "coinm")
    bars = run(plan, tape)[clock.name]
    np.testing.assert_array_equal(bars["value"], 100.0 * bars["volume"])
    assert (bars["value"] >= 50000).all()
    assert ((bars["vwap"] >= bars["low"]) & (bars["vwap"] <= bars["high"])).all()
