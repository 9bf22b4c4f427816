"""An entry in the project's YAML becomes a clock: its name, its exact whole numbers, its errors."""

from fractions import Fraction

import pytest

from qf.bar_clock import Units, bar_clock, bar_clocks, exact
from qf.errors import DefinitionError

SPOT = Units(tick=Fraction("0.01"), lot=Fraction("0.00001"), value=Fraction("0.0000001"))
FUTURE = Units(tick=Fraction("0.1"), lot=Fraction("0.001"), value=Fraction("0.0001"))
COIN = Units(tick=Fraction("0.1"), lot=Fraction(1), value=Fraction(1))

NAMES = [
    ({"type": "tick", "count": 50}, "tick_k_50"),
    ({"type": "volume", "threshold": 100}, "volume_k_100"),
    ({"type": "volume", "threshold": 0.5}, "volume_k_0p5"),
    ({"type": "volume", "threshold": 0.00002}, "volume_k_0p00002"),
    ({"type": "dollar", "threshold": 50000}, "dollar_k_50000"),
    ({"type": "dollar", "threshold": 50000.0}, "dollar_k_50000"),
    ({"type": "dollar", "threshold": 1e5}, "dollar_k_100000"),
    ({"type": "dollar", "threshold": 50000, "overflow": "carry"}, "dollar_k_50000_carry"),
    (
        {"type": "dollar", "threshold": 50000, "reset": "day", "overflow": "split"},
        "dollar_k_50000_split_day",
    ),
    ({"type": "time", "seconds": 60}, "time_s_60"),
    ({"type": "time", "seconds": 0.25}, "time_s_0p25"),
    ({"type": "imbalance", "k": 10}, "imbalance_k_10"),
    ({"type": "imbalance", "k": 10, "of": "ticks"}, "imbalance_k_10_ticks"),
    ({"type": "imbalance", "k": 10, "of": "volume"}, "imbalance_k_10"),
    ({"type": "run", "window": 10}, "run_w_10"),
    ({"type": "run", "window": 10, "reset": "day"}, "run_w_10_day"),
    ({"type": "hybrid", "volume": 100, "max_seconds": 300}, "hybrid_k_100_s_300"),
]


@pytest.mark.parametrize(("entry", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_clock_is_named_by_its_pattern_and_what_differs_from_the_default(entry, name):
    assert bar_clock(entry, SPOT).name == name


@pytest.mark.parametrize(
    ("entry", "units", "key", "count"),
    [
        ({"type": "volume", "threshold": 0.5}, SPOT, "threshold_lots", 50_000),
        ({"type": "volume", "threshold": 0.1}, SPOT, "threshold_lots", 10_000),
        ({"type": "volume", "threshold": 0.000011}, SPOT, "threshold_lots", 2),
        ({"type": "dollar", "threshold": 50_000}, SPOT, "threshold_units", 500_000_000_000),
        ({"type": "dollar", "threshold": 50_000}, COIN, "threshold_units", 50_000),
        ({"type": "dollar", "threshold": 0.3}, SPOT, "threshold_units", 3_000_000),
        ({"type": "dollar", "threshold": 0.1}, SPOT, "threshold_units", 1_000_000),
        ({"type": "volume", "threshold": 4.001}, FUTURE, "threshold_lots", 4001),
        ({"type": "imbalance", "k": 10}, SPOT, "k", 1_000_000),
        ({"type": "imbalance", "k": 10}, COIN, "k", 10),
        ({"type": "imbalance", "k": 2.5, "of": "ticks"}, SPOT, "k", 3),
        ({"type": "imbalance", "k": 7, "of": "value"}, SPOT, "k", 70_000_000),
        ({"type": "time", "seconds": 0.1}, SPOT, "period_ns", 100_000_000),
        ({"type": "hybrid", "volume": 0.7, "max_seconds": 0.3}, SPOT, "max_ns", 300_000_000),
    ],
    ids=lambda value: str(value) if isinstance(value, dict | int) else "",
)
def test_thresholds_are_the_fewest_whole_units_that_reach_what_was_written(
    entry, units, key, count
):
    assert bar_clock(entry, units).parameters[key] == count


def test_a_decimal_is_taken_as_written_not_as_its_binary_neighbour():
    assert exact(0.1) == Fraction(1, 10)
    assert exact(1e-7) == Fraction(1, 10**7)
    assert exact(3) == 3


@pytest.mark.parametrize(
    ("entry", "code", "told"),
    [
        ({"threshold": 5}, "QF451", "dollar"),
        ({"type": "dolar", "threshold": 5}, "QF412", "did you mean: dollar"),
        ({"type": "fold"}, "QF412", "unknown bar rule 'fold'"),
        ({"type": "dollar"}, "QF405", "dollar needs threshold"),
        ({"type": "dollar", "treshold": 5}, "QF404", "did you mean: threshold"),
        ({"type": "dollar", "threshold": 5, "overflow": "keep"}, "QF402", "drop|carry|split"),
        ({"type": "imbalance", "k": 5, "overflow": "split"}, "QF402", "drop|carry"),
        ({"type": "tick", "count": 0}, "QF401", "count must be in [1, 1000000000], was 0"),
        ({"type": "tick", "count": 2.5}, "QF403", "whole number"),
        ({"type": "dollar", "threshold": True}, "QF403", "number"),
        ({"type": "dollar", "threshold": 0}, "QF401", "threshold"),
        ({"type": "dollar", "threshold": 1e12}, "QF452", "2^53"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_wrong_entry_is_refused_with_code_and_next_step(entry, code, told):
    with pytest.raises(DefinitionError) as error:
        bar_clock(entry, SPOT)
    assert error.value.code == code
    assert told in str(error.value)


def test_two_entries_of_one_name_are_refused():
    entries = [{"type": "dollar", "threshold": 50000}, {"type": "dollar", "threshold": 50000.0}]
    with pytest.raises(DefinitionError) as error:
        bar_clocks(entries, SPOT)
    assert error.value.code == "QF450"
    assert "dollar_k_50000" in str(error.value)
