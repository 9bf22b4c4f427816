"""What bars do at the edges: boundaries, midnight, sums that do not fit, large trades, silence."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qf
from qf.bar_clock import MOST_PARTS, add_bars, bar_clock, with_empty_bars
from qf.clock import DAY_NS, SECOND_NS
from qf.op import find
from qf.program import Program
from qf.schema import BIT, NULL_INT
from qf.testing.contract_bars import UNITS, open_bars, partition_error, run, tick_plan

START = 20_000 * DAY_NS
NS = 1_000_000_000


def tape(times, lots=None, price=1000, direction=None, received=None):
    count = len(times)
    times = np.array([START + round(t * SECOND_NS) for t in times], np.int64)
    lots = np.full(count, 1, np.int64) if lots is None else np.array(lots, np.int64)
    prices = np.full(count, price, np.int64) + np.arange(count)
    return {
        "price_ticks": prices,
        "size_lots": lots,
        "value_units": prices * lots,
        "direction": np.ones(count, np.int64) if direction is None else np.array(direction),
        "event_time": times,
        "processed_time": times if received is None else np.array(received, np.int64),
        "seq": 10 * np.arange(count),
        "quality": 1 << np.arange(count) % 12,
        "mid": prices + 0.5,
        "spread": np.arange(count) / 10,
        "x": np.ones(count),
    }


def bars_of(entry, ticks, **options):
    plan, tick = tick_plan()
    clock = bar_clock(entry, UNITS)
    for name, column in add_bars(plan, clock, tick).items():
        plan.read(name, column)
    return run(plan, ticks, **options)[clock.name]


def test_a_trade_on_the_boundary_opens_the_next_time_bar_and_makes_the_last_one_exist():
    bars = bars_of({"type": "time", "seconds": 10}, tape([1, 9.999, 10, 12, 20]))
    assert bars["trade_count"].tolist() == [2, 2]
    assert bars["close_row"].tolist() == [1, 3]
    assert bars["known_row"].tolist() == [2, 4]
    assert bars["close_seq"].tolist() == [20, 40]
    assert bars["feature_time"].tolist() == [START + 10 * NS, START + 20 * NS]
    assert bars["close_time"].tolist() == [START + 9_999_000_000, START + 12 * NS]
    assert bars["mid_close"].tolist() == [1001.5, 1003.5]
    assert bars["spread_close"].tolist() == [0.1, 0.3]


def test_a_trade_whose_time_runs_back_stays_in_the_open_time_bar():
    bars = bars_of({"type": "time", "seconds": 10}, tape([1, 11, 9, 10.5, 21]))
    assert bars["trade_count"].tolist() == [1, 3]


def test_empty_periods_are_numbered_and_become_rows_of_the_table():
    ticks = tape([1, 41, 42, 55, 90])
    bars = bars_of({"type": "time", "seconds": 10}, ticks)
    assert bars["bar_id"].tolist() == [0, 4, 5]
    table = with_empty_bars(bars, 10 * NS)
    assert table["bar_id"].tolist() == [0, 1, 2, 3, 4, 5]
    assert table["volume_lots"].tolist() == [1, 0, 0, 0, 2, 1]
    assert table["open_time"][1:4].tolist() == [START + 10 * NS * k for k in (1, 2, 3)]
    assert table["close_time"][1:4].tolist() == [START + 10 * NS * k for k in (2, 3, 4)]
    assert table["feature_time"][1:4].tolist() == [START + 41 * NS] * 3
    assert np.isnan(table["close"][1:4]).all()
    assert (table["close_ticks"][1:4] == NULL_INT).all()
    assert (table["quality"][1:4] == BIT["undefined"]).all()
    assert all(table[name].dtype == column.dtype for name, column in bars.items())


@settings(max_examples=30)
@given(
    steps=st.lists(st.sampled_from([0, 1, 3, 25]), min_size=3, max_size=40),
    cuts=st.lists(st.integers(1, 39), max_size=4),
)
def test_empty_rows_are_the_same_when_the_bars_arrive_in_pieces(steps, cuts):
    bars = bars_of({"type": "time", "seconds": 2}, tape(np.cumsum(steps)))
    whole = with_empty_bars(bars, 2 * NS)
    edges = [0, *sorted(set(cuts)), 10**6]
    before, pieces = None, []
    for low, high in itertools.pairwise(edges):
        piece = {name: column[low:high] for name, column in bars.items()}
        pieces.append(with_empty_bars(piece, 2 * NS, before))
        if len(piece["bar_id"]):
            before = {name: int(piece[name][-1]) for name in ("bar_id", "feature_time")}
            before |= {name: int(piece[name][-1]) for name in ("close_seq", "known_row")}
    for name, column in whole.items():
        joined = np.concatenate([piece[name] for piece in pieces])
        np.testing.assert_array_equal(joined, column, name)
    assert (np.diff(whole["bar_id"]) == 1).all()


def test_day_reset_closes_before_the_first_trade_received_after_midnight():
    midnight = START + DAY_NS
    received = [midnight - 2, midnight - 1, midnight, midnight + 1, midnight + 2 * DAY_NS]
    ticks = tape([0, 1, 2, 3, 4], received=received)
    bars = bars_of({"type": "tick", "count": 3, "reset": "day"}, ticks)
    assert bars["trade_count"].tolist() == [2, 2]
    assert bars["known_row"].tolist() == [2, 4]
    assert len(bars_of({"type": "tick", "count": 3}, ticks)["bar_id"]) == 1


def test_day_reset_forgets_what_was_carried():
    midnight = START + DAY_NS
    ticks = tape([0, 1, 2], lots=[19, 1, 9], received=[midnight - 2, midnight, midnight + 1])
    entry = {"type": "volume", "threshold": 1, "overflow": "carry"}
    assert bars_of(entry, ticks)["trade_count"].tolist() == [1, 1]
    assert bars_of({**entry, "reset": "day"}, ticks)["trade_count"].tolist() == [1, 2]


def test_hybrid_closes_before_a_trade_that_is_too_late_and_with_it_where_it_is_large():
    ticks = tape([0, 1, 5, 6, 11.5], lots=[2, 2, 40, 1, 1])
    bars = bars_of({"type": "hybrid", "volume": 3, "max_seconds": 5}, ticks)
    assert bars["close_row"].tolist() == [1, 2, 3]
    assert bars["known_row"].tolist() == [2, 2, 4]
    assert bars["volume_lots"].tolist() == [4, 40, 1]


def test_a_trade_of_unknown_direction_counts_in_volume_and_on_neither_side():
    ticks = tape([0, 1, 2, 3], lots=[5, 7, 5, 1], direction=[1, 0, 1, -1])
    bars = bars_of({"type": "imbalance", "k": 1}, ticks)
    assert (bars["volume_lots"][0], bars["buy_lots"][0], bars["sell_lots"][0]) == (17, 10, 0)
    assert bars_of({"type": "run", "window": 2}, ticks)["trade_count"].tolist() == [3]


def test_carry_takes_one_threshold_off_per_close():
    ticks = tape(range(5), lots=[35, 1, 1, 1, 1])
    bars = bars_of({"type": "volume", "threshold": 1, "overflow": "carry"}, ticks)
    assert bars["trade_count"].tolist() == [1, 1, 1]
    dropped = bars_of({"type": "volume", "threshold": 1}, ticks)
    assert dropped["trade_count"].tolist() == [1]


def test_split_divides_one_trade_over_several_bars_and_keeps_the_rest_open():
    ticks = tape([0, 1], lots=[4, 28])
    plan, tick = tick_plan()
    clock = bar_clock({"type": "volume", "threshold": 1, "overflow": "split"}, UNITS)
    for name, column in add_bars(plan, clock, tick).items():
        plan.read(name, column)
    program = Program(plan)
    bars = program.push(ticks)[clock.name]
    assert bars["volume_lots"].tolist() == [10, 10, 10]
    assert bars["first_row"].tolist() == [0, 1, 1]
    assert bars["close_row"].tolist() == [1, 1, 1]
    assert bars["value_units"].tolist() == [4 * 1000 + 6 * 1001, 10010, 10010]
    assert open_bars(program)[clock.name]["lots"] == 2


def test_a_trade_larger_than_the_most_parts_closes_no_more_bars_than_that():
    ticks = tape([0, 1, 2], lots=[3, 10_000_000, 3])
    plan, tick = tick_plan()
    clock = bar_clock({"type": "volume", "threshold": 1, "overflow": "split"}, UNITS)
    for name, column in add_bars(plan, clock, tick).items():
        plan.read(name, column)
    program = Program(plan)
    bars = program.push(ticks)[clock.name]
    assert len(bars["bar_id"]) == MOST_PARTS + 1
    assert set(bars["volume_lots"][:-1].tolist()) == {10}
    assert partition_error(bars, open_bars(program)[clock.name], ticks, True) == ""


def test_a_sum_that_does_not_fit_is_null_and_flagged_never_wrong():
    ticks = tape(range(6), lots=[2**52] * 6, price=1000)
    bars = bars_of({"type": "tick", "count": 3}, ticks)
    assert bars["value_units"].tolist() == [NULL_INT, NULL_INT]
    assert np.isnan(bars["value"]).all() and np.isnan(bars["vwap"]).all()
    assert (bars["quality"] & BIT["undefined"]).all()
    assert bars["volume_lots"].tolist() == [3 * 2**52] * 2


def test_one_value_that_did_not_fit_makes_the_bar_s_value_null():
    ticks = tape(range(20))
    ticks["value_units"][5:7] = NULL_INT  # two of them sum to 0 in 64 bits
    bars = bars_of({"type": "tick", "count": 10}, ticks)
    assert bars["value_units"].tolist() == [NULL_INT, int(ticks["value_units"][10:].sum())]
    assert [bool(bits & BIT["undefined"]) for bits in bars["quality"]] == [True, False]
    assert np.isnan(bars["value"]).tolist() == [True, False]


def test_a_value_that_did_not_fit_closes_a_dollar_bar():
    ticks = tape(range(4))
    ticks["value_units"][1] = NULL_INT
    for overflow in ("drop", "carry", "split"):
        entry = {"type": "dollar", "threshold": 1e6, "overflow": overflow}
        bars = bars_of(entry, ticks)
        assert bars["close_row"].tolist() == [1], overflow
        assert bars["value_units"].tolist() == [NULL_INT], overflow


def test_quality_is_the_or_over_the_members_and_the_duration_is_in_ms():
    bars = bars_of({"type": "tick", "count": 3}, tape([0, 1, 2.5, 3, 4, 5]))
    assert bars["quality"].tolist() == [0b111, 0b111000]
    assert bars["duration_ms"].tolist() == [2500.0, 2000.0]


def test_every_column_of_the_fold_is_read_by_somebody():
    texts = [
        path.read_text()
        for path in Path(qf.__file__).parent.rglob("*.py")
        if path.name not in ("fold.py", "contract_bars.py")
    ]
    outputs = [each.name for each in find("fold", "bars").signature.outputs]
    unread = [name for name in outputs if not any(name in text for text in texts)]
    assert len(outputs) > 15 and unread == []


@pytest.mark.parametrize("block", [1, 2, 5])
def test_a_bar_that_closes_before_the_first_trade_of_a_block_ends_in_the_block_before(block):
    ticks = tape([1, 2, 11, 12, 21, 22])
    whole = bars_of({"type": "time", "seconds": 10}, ticks)
    pieces = bars_of({"type": "time", "seconds": 10}, ticks, cuts=(2, 4), block=block)
    for name, column in whole.items():
        np.testing.assert_array_equal(pieces[name], column, name)
