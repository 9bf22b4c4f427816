"""A label entry becomes an op with parameters, warnings and clear refusals; labels by hand."""

import inspect

import numpy as np
import pytest

from qf.errors import DefinitionError, QuantflowError
from qf.intrinsics import LANES
from qf.label_spec import add_label, label_spec, vertical_warning
from qf.labels.open_labels import FIELDS, SLOTS, billions, places, ticks_of
from qf.op import find
from qf.program import Plan
from qf.schema import NULL_INT
from qf.testing.contract_bars import run

COST = 0.003
BARRIERS = {"upper_barrier": 0.01, "lower_barrier": 0.01}


def bars(high, low, close, times=None, **more):
    count = len(close)
    rows = np.arange(count)
    made = {
        "bar_id": rows,
        "feature_time": 10 * rows if times is None else np.array(times),
        "known_row": 3 * rows + 2,
        "first_row": 3 * rows,
        "close_row": 3 * rows + 2,
        "high_ticks": np.array(high),
        "low_ticks": np.array(low),
        "close_ticks": np.array(close),
        "side": np.ones(count, np.int64),
        "close": np.array(close) / 10,
        "vwap": np.array(close) / 10,
        "volatility": np.full(count, 0.01),
        "quality": np.zeros(count, np.int64),
    }
    return {**made, **{name: np.array(column) for name, column in more.items()}}


def labels(given, columns, kind="triple_barrier", block=256):
    barriers = BARRIERS if kind == "triple_barrier" else {}
    plan = Plan()
    plan.clock("bars")
    bar = {
        name: plan.feed(name, "int" if column.dtype == np.int64 else "float")
        for name, column in columns.items()
    }
    spec = label_spec("l", kind, {**barriers, **given}, COST)
    for name, column in add_label(plan, spec, bar, "labels", bar).items():
        plan.read(name, column)
    return run(plan, columns, block=block)["labels"]


CALM = ([1000] * 4, [1000] * 4, [1000] * 4)


def test_a_touch_is_at_the_barrier_exactly():
    columns = bars([1000, 1009, 1010, 1009], [1000, 1000, 1000, 1000], [1000, 1000, 1000, 1000])
    got = labels({"vertical_barrier": 5}, columns)
    assert got["bar_id"].tolist() == [0, 1]
    assert got["label"].tolist() == [1.0, 1.0]
    assert got["ret"].tolist() == [0.01, 0.01]
    assert got["label_end"].tolist() == [20, 20]
    assert got["cost"].tolist() == [COST, COST]
    assert got["weight"].tolist() == [1.0, 1.0]


def test_the_bar_itself_is_not_on_its_path():
    columns = bars([1010, 1000, 1000], [990, 1000, 1000], [1000, 1000, 1000])
    got = labels({"vertical_barrier": 2}, columns)
    assert got["bar_id"].tolist() == [0]
    assert got["barrier"].tolist() == [0]


@pytest.mark.parametrize(
    ("given", "label"),
    [({}, -1.0), ({"side": "short"}, 1.0), ({"tie": "skip"}, None)],
    ids=["long", "short", "skip"],
)
def test_both_barriers_in_one_bar_are_decided_by_the_rule(given, label):
    columns = bars([1000, 1010], [1000, 990], [1000, 1000])
    got = labels({"vertical_barrier": 5, **given}, columns)
    assert got["label"].tolist() == ([] if label is None else [label])


def test_the_vertical_barrier_is_0_or_the_sign_of_the_return():
    columns = bars([1000, 1002, 1003], [1000, 1000, 1000], [1000, 1001, 1003])
    for choice, label in (("zero", 0.0), ("sign", 1.0)):
        got = labels({"vertical_barrier": 2, "vertical_label": choice}, columns)
        assert (got["label"][0], got["barrier"][0]) == (label, 0)
        assert got["ret"][0] == pytest.approx(0.003, rel=1e-15)


def test_a_label_bounded_by_seconds_ends_at_the_last_bar_within_and_is_known_at_the_next():
    columns = bars(
        [1000, 1003, 1020, 1000],
        [1000] * 4,
        [1000, 1002, 1000, 1000],
        times=[0, 10**9, 2 * 10**9, 9 * 10**9],
    )
    got = labels({"vertical_seconds": 1.5}, columns)
    assert (got["bar_id"][0], got["barrier"][0], got["label_end"][0]) == (0, 0, 2 * 10**9)
    assert got["ret"][0] == pytest.approx(0.002, rel=1e-15)


def test_barriers_scale_with_volatility_and_a_null_one_makes_no_label():
    columns = bars([1000, 1005, 1005], [1000] * 3, [1000] * 3, volatility=[0.005, np.nan, 0.005])
    given = {"upper_barrier": 1.0, "lower_barrier": 1.0, "barrier_unit": "volatility"}
    got = labels({**given, "vertical_barrier": 1}, columns)
    assert got["bar_id"].tolist() == [0]
    assert got["ret"].tolist() == [0.005]


def test_a_label_has_the_quality_of_its_bar_and_of_its_path():
    columns = bars(*[[1000] * 5] * 3, quality=[1, 2, 4, 8, 16])
    assert labels({"vertical_barrier": 2}, columns)["quality"].tolist() == [7, 14, 28]
    assert labels({"window": 1}, columns, "forward_return")["quality"].tolist() == [3, 6, 12, 24]


@pytest.mark.parametrize("width", [0.001, 0.01, 0.05])
@pytest.mark.parametrize("horizon", [1, 20, 300, 1000])
def test_long_blocks_decide_as_single_bars_do(width, horizon):
    draw = np.random.default_rng(9)
    close = 100_000 + np.cumsum(draw.integers(-60, 61, 1500))
    reach = draw.integers(0, 80, (2, 1500))
    bits = np.where(draw.random(1500) < 0.01, 1 << draw.integers(0, 12, 1500), 0)
    columns = bars(close + reach[0], close - reach[1], close, quality=bits)
    given = {"upper_barrier": width, "lower_barrier": width, "vertical_barrier": horizon}
    whole, single = (labels(given, columns, block=block) for block in (2048, 1))
    assert len(whole["label"]) > 400
    for name, column in whole.items():
        assert (column == single[name]).all(), name


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"tie": "skip", "vertical_label": "sign"},
        {"side": "short", "upper_barrier": 0.0},
        {"side": "column", "tie": "skip", "lower_barrier": 0.002},
        {"barrier_unit": "volatility", "upper_barrier": 0.1, "lower_barrier": 0.2},
        {"vertical_seconds": 3e-7},
        {"vertical_seconds": 2e-6, "tie": "skip", "vertical_barrier": 100},
    ],
    ids=["long", "skip", "short", "column", "volatility", "seconds", "long seconds"],
)
def test_long_blocks_decide_as_single_bars_do_where_both_barriers_meet(given):
    """Within a block labels are decided together, across blocks one after the other."""
    draw = np.random.default_rng(11)
    rows = 1500
    close = 100_000 + np.cumsum(draw.integers(-60, 61, rows))
    close[draw.random(rows) < 0.03] = 0
    reach = draw.integers(0, 150, (2, rows))
    columns = bars(
        close + reach[0],
        close - reach[1],
        close,
        times=np.cumsum(draw.integers(0, 60, rows)),
        side=draw.choice([1, -1, 0, NULL_INT], rows),
        volatility=np.where(draw.random(rows) < 0.05, np.nan, draw.random(rows) / 100),
        quality=np.where(draw.random(rows) < 0.01, 1 << draw.integers(0, 12, rows), 0),
    )
    width = {"upper_barrier": 0.001, "lower_barrier": 0.001, "vertical_barrier": 20}
    whole, single = (labels({**width, **given}, columns, block=block) for block in (2048, 1))
    assert len(whole["label"]) > 400
    for name, column in whole.items():
        assert (column == single[name]).all(), name


@pytest.mark.parametrize("ahead", [0, 1, 4, 5, 31])
def test_one_label_of_those_decided_together_meets_its_barrier_alone(ahead):
    for place in range(LANES):
        high, low, close = [1000] * 150, [1000] * 150, [1000] * 150
        low[place] = close[place] = 995
        high[LANES + ahead] = 1005  # the others' barriers are at 1010 and 990
        got = labels({"vertical_barrier": 100}, bars(high, low, close))
        row = got["bar_id"].tolist().index(place)
        assert (got["label"][row], got["label_end"][row]) == (1.0, 10 * (LANES + ahead))
        assert (got["barrier"] == 1).sum() == 1


def test_plain_python_decides_as_the_compiled_kernel_does():
    draw = np.random.default_rng(13)
    rows = 100
    close = 100_000 + np.cumsum(draw.integers(-60, 61, rows))
    reach = draw.integers(0, 90, (2, rows))
    columns = bars(close + reach[0], close - reach[1], close)
    given = {"upper_barrier": 0.001, "lower_barrier": 0.002, "vertical_barrier": 70}
    compiled = labels(given, columns)
    kernel, spec = find("triple_barrier", "labels").rules["kernel"], {"bar": "bar_id"}
    spec |= {"known_time": "feature_time", "bar_quality": "quality"}
    names = list(inspect.signature(kernel).parameters)
    taken = {name: columns.get(spec.get(name, name), np.zeros(0)).tolist() for name in names}
    made = {name: [0] * rows for name in compiled}
    rest: dict[str, object] = {
        "lo": 0,
        "hi": rows,
        "row": 0,
        "olo": 0,
        "slo": 0,
        "shi": 0,
        "srow": 0,
    }
    rest |= {"made": [0], "room": [rows], "ints": [0] * (SLOTS + FIELDS * places(70))}
    rest["params"] = [0.001, 0.002, 0, COST, 70, 0, 0, 0, 0, 0]
    assert kernel(**{**taken, **made, **rest}) is None
    assert rest["made"] == [len(compiled["label"])] > [50]
    for name, column in compiled.items():
        assert made[name][: len(column)] == column.tolist(), name


@pytest.mark.parametrize("part", [1, 10_000, 999_999_999, 10**9, 2**31 + 1, 9 * 10**9])
def test_a_barrier_is_a_whole_tick_where_no_float_is_exact(part):
    edges = [1, 999_999_999, 10**9, 10**9 + 1, 2**31, 2**53 + 1, 2**56 - 1]
    drawn = np.random.default_rng(part).integers(1, 2**56, 200).tolist()
    for entry in [*edges, *drawn]:
        assert ticks_of(entry, part) == -(-entry * part // 10**9)


@pytest.mark.parametrize("number", [0, 1, 10**9 - 1, 10**9, 2 * 10**9 - 1, 2**53 + 1, 2**63 - 1])
def test_whole_billions_are_exact(number):
    assert billions(number) == number // 10**9
    nearest = number // 10**9 * 10**9  # where a product of floats is nearest to a whole number
    assert billions(nearest) == nearest // 10**9
    assert nearest == 0 or billions(nearest - 1) == nearest // 10**9 - 1


def test_an_open_label_is_no_row():
    assert len(labels({"vertical_barrier": 4}, bars(*CALM))["label"]) == 0
    assert len(labels({"vertical_barrier": 3}, bars(*CALM))["label"]) == 1


def test_the_walkthrough_s_labels_warn_that_their_barriers_are_below_cost():
    given = {"horizon": 20, "upper_barrier": 0.001, "lower_barrier": 0.001, "vertical_barrier": 20}
    spec = label_spec("triple_barrier_20_10bp", "triple_barrier", given, COST)
    assert spec.parameters["vertical_bars"] == 20
    assert spec.warnings == (
        "label triple_barrier_20_10bp: upper_barrier 0.001 (10 bp) and lower_barrier 0.001 (10 bp)"
        " are below the round-trip cost 0.003 (30 bp)",
    )
    assert label_spec("l", "triple_barrier", {**BARRIERS, "horizon": 5}, COST).warnings == ()


@pytest.mark.parametrize(
    ("kind", "given", "code", "told"),
    [
        ("triple_barrier", {"vertical_barrier": 20, "horizon": 50}, "QF460", "horizon is 50"),
        ("triple_barrier", {}, "QF461", "vertical_seconds"),
        ("triple_barrier", {"horizon": 5, "entry": "mid"}, "QF402", "close|next_trade|book"),
        ("triple_barrier", {"horizon": 5, "barier": 1}, "QF404", "barier"),
        ("forward_return", {"window": 5, "horizon": 6}, "QF463", "window is 5"),
        ("forward_return", {}, "QF464", "window"),
        ("forwardreturn", {}, "QF412", "did you mean: forward_return"),
    ],
    ids=str,
)
def test_a_wrong_entry_is_refused_with_code_and_next_step(kind, given, code, told):
    barriers = BARRIERS if kind == "triple_barrier" else {}
    with pytest.raises(DefinitionError) as error:
        label_spec("l", kind, {**barriers, **given}, COST)
    assert error.value.code == code
    assert told in str(error.value)


@pytest.mark.parametrize(
    "given",
    [{"barrier_unit": "volatility"}, {"side": "column"}, {"entry": "book"}, {"tie": "book_replay"}],
    ids=str,
)
def test_a_column_that_a_label_needs_must_be_given(given):
    spec = label_spec("l", "triple_barrier", {**BARRIERS, "horizon": 5, **given}, COST)
    with pytest.raises(QuantflowError) as error:
        add_label(Plan(), spec, {}, "labels")
    assert error.value.code == "QF465"


def test_a_label_is_no_function():
    with pytest.raises(QuantflowError) as error:
        find("triple_barrier", "ops")
    assert error.value.code == "QF412"


def test_mostly_vertical_labels_are_a_warning():
    assert vertical_warning("l", np.array([0] * 95 + [1] * 5)) == ""
    assert "96.0 % of 100 labels" in vertical_warning("l", np.array([0] * 96 + [1] * 4))
    assert vertical_warning("l", np.array([], np.int64)) == ""
