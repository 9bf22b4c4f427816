"""The as-of join between bar clocks never sees a bar before it exists, and loses none."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.bar_clock import add_bars, bar_clock
from qf.op import find
from qf.schema import BIT, NULL_INT
from qf.testing.contract_bars import CUTS, UNITS, random_tape, run, tick_plan

CLOCKS = (
    {"type": "time", "seconds": 3},
    {"type": "tick", "count": 5},
    {"type": "volume", "threshold": 2, "overflow": "split"},
    {"type": "hybrid", "volume": 5, "max_seconds": 4, "reset": "day"},
    {"type": "tick", "count": 100000},
)
DECISION = {"type": "dollar", "threshold": 30, "reset": "day"}
OUTPUTS = ("value", "quality", "feature_time", "age_ns")


def plan_of(feature, decision=DECISION):
    """Return a plan that takes the mean of x on one clock to another, and its clocks' names."""
    plan, tick = tick_plan()
    clocks = [bar_clock(feature, UNITS), bar_clock(decision, UNITS)]
    on, at = (add_bars(plan, clock, tick) for clock in clocks)
    here, there = (plan.clock(clock.name) for clock in clocks)
    ends = [on["first_row"], on["close_row"]]
    x = plan.add(find("mean", "aggregations"), [tick["x"], *ends], out=[here])[0][0]
    own = [x, on["quality"], on["feature_time"], on["known_row"]]
    latest = find("latest", "aggregations")
    made = plan.add(latest, [*own, at["known_row"], at["feature_time"]], out=[there])
    for name, group in zip(OUTPUTS, made, strict=True):
        plan.read(name, group[0])
    for name in ("known_row", "feature_time"):
        plan.read("decision_" + name, at[name])
        plan.read("bar_" + name, on[name])
    plan.read("x", x)
    plan.read("bar_quality", on["quality"])
    return plan, clocks[0].name, clocks[1].name


@pytest.mark.parametrize("feature", [*CLOCKS, DECISION], ids=lambda entry: entry["type"])
@pytest.mark.parametrize("seed", range(4))
def test_it_equals_its_definition_and_a_join_by_polars(feature, seed):
    tape = random_tape(seed, 300)
    plan, here, there = plan_of(feature)
    made = run(plan, tape)
    rows, got = made[here], made[there]
    columns = [rows[n].tolist() for n in ("x", "bar_quality", "bar_feature_time", "bar_known_row")]
    at, times = got["decision_known_row"].tolist(), got["decision_feature_time"].tolist()
    definition = find("latest", "aggregations").rules["definition"]
    want = [definition(*columns, at[: k + 1], times[: k + 1]) for k in range(len(at))]
    for place, name in enumerate(OUTPUTS):
        column = np.array([row[place] for row in want], got[name].dtype)
        np.testing.assert_array_equal(got[name], column, name)
    names = ("x", "bar_known_row")
    joined = pl.DataFrame({"row": got["decision_known_row"]}).join_asof(
        pl.DataFrame({name: rows[name] for name in names}), left_on="row", right_on="bar_known_row"
    )
    np.testing.assert_array_equal(joined["x"].fill_null(float("nan")).to_numpy(), got["value"])
    assert (got["age_ns"][got["feature_time"] != NULL_INT] >= 0).all()


def test_a_time_bar_is_unseen_by_the_decision_of_its_own_last_trade():
    tape = random_tape(0, 4)
    tape["event_time"] = 999_999_999_000_000_000 + np.array([1, 2, 3, 4]) * 1_000_000_000
    tape["x"] = np.array([1.0, 2.0, 3.0, 4.0])
    plan, _, there = plan_of({"type": "time", "seconds": 3}, {"type": "tick", "count": 1})
    got = run(plan, tape)[there]
    assert np.isnan(got["value"][:2]).all()  # the bar 0..3 s is over, and nobody can know it yet
    assert got["value"][2:].tolist() == [1.5, 1.5]
    assert got["quality"][:2].tolist() == [BIT["warmup"]] * 2


def test_a_bar_closed_by_the_same_trade_is_included_with_age_0():
    plan, here, there = plan_of({"type": "tick", "count": 5}, {"type": "tick", "count": 10})
    made = run(plan, random_tape(3, 100))
    assert made[there]["age_ns"].tolist() == [0] * 10
    np.testing.assert_array_equal(made[there]["value"], made[here]["x"][1::2])


@settings(max_examples=25)
@given(
    feature=st.sampled_from(CLOCKS),
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(1, 299), max_size=8),
    block=st.sampled_from([1, 3, 64]),
)
def test_cutting_anywhere_changes_no_bit(feature, seed, cuts, block):
    tape = random_tape(seed, 300)
    plan, _, there = plan_of(feature)
    whole, parts = run(plan, tape)[there], run(plan, tape, cuts or CUTS, block)[there]
    for name in OUTPUTS:
        np.testing.assert_array_equal(parts[name], whole[name], name)
