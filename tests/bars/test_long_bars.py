"""Bars of hundreds of trades, which are summed a stretch at a time, are those of plain sums."""

import functools
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.bar_clock import add_bars, bar_clock
from qf.program import Plan
from qf.schema import BIT, NULL_INT
from qf.testing.contract_bars import UNITS, Columns, random_tape, run, tick_plan

ROWS = 1500
LARGEST = 2**63 - 1


def tick_bars(count: int, tape: Columns, block: int) -> Columns:
    plan: Plan
    plan, tick = tick_plan()
    clock = bar_clock({"type": "tick", "count": count}, UNITS)
    for name, column in add_bars(plan, clock, tick).items():
        plan.read(name, column)
    return run(plan, tape, block=block)[clock.name]


def fits(total: int, parts: list[int]) -> int:
    """Return a sum as the fold gives it: null where a part or the whole does not fit."""
    return NULL_INT if total > LARGEST or min(parts) < 0 or max(parts) > LARGEST else total


def plain_bar(tape: Columns, first: int, last: int) -> dict[str, int]:
    rows = {name: tape[name][first:last].tolist() for name in tape}
    ticks, lots, worth = rows["price_ticks"], rows["size_lots"], rows["value_units"]
    products = [price * size for price, size in zip(ticks, lots, strict=True)]
    value, weighted = fits(sum(worth), worth), fits(sum(products), products)
    bits = functools.reduce(operator.or_, rows["quality"])
    pairs = list(zip(lots, rows["direction"], strict=True))
    return {
        "trade_count": last - first,
        "high_ticks": max(ticks),
        "low_ticks": min(ticks),
        "volume_lots": sum(lots),
        "value_units": value,
        "weighted_units": weighted,
        "buy_lots": sum(size for size, side in pairs if side > 0),
        "sell_lots": sum(size for size, side in pairs if side < 0),
        "quality": bits | BIT["undefined"] if NULL_INT in (value, weighted) else bits,
    }


def assert_plain(made: Columns, tape: Columns, count: int) -> None:
    assert len(made["bar_id"]) == ROWS // count
    for k in range(ROWS // count):
        wanted = plain_bar(tape, k * count, (k + 1) * count)
        assert {name: int(made[name][k]) for name in wanted} == wanted


@settings(max_examples=25, deadline=None)
@given(
    count=st.one_of(st.integers(1, 12), st.integers(250, 700)),
    block=st.sampled_from([1, 3, 4, 255, 256, 257, 1024]),
    seed=st.integers(0, 10**6),
)
def test_a_bar_is_the_plain_sum_of_its_trades_whatever_its_length(count, block, seed):
    tape = random_tape(seed, ROWS)
    assert_plain(tick_bars(count, tape, block), tape, count)


@pytest.mark.parametrize("count", [3, 7, 300, 700])
@pytest.mark.parametrize("share", [0.9, 1.1, 2.05])  # the last is positive in 64 bits
def test_sums_just_below_the_largest_integer_are_exact_and_just_above_it_null(count, share):
    tape = random_tape(count, ROWS)
    each = int(LARGEST / count * share)
    tape["price_ticks"] = np.full(ROWS, 1000) + np.arange(ROWS) % 2
    tape["size_lots"] = each // tape["price_ticks"]
    tape["value_units"] = np.full(ROWS, each)
    made = tick_bars(count, tape, 512)
    assert_plain(made, tape, count)
    assert ((made["value_units"] == NULL_INT) == (share > 1)).all()


@pytest.mark.parametrize("large", [2**52, 2**58, LARGEST])
def test_a_few_large_trades_among_small_ones_change_nothing_else(large):
    tape = random_tape(5, ROWS)
    tape["value_units"][::97] = large
    tape["size_lots"][50::97] = large // 1100
    tape["value_units"][500] = NULL_INT
    assert_plain(tick_bars(400, tape, 1024), tape, 400)
    assert_plain(tick_bars(30, tape, 1024), tape, 30)
