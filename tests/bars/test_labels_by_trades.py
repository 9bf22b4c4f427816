"""Labels that look inside bars: entered at the next trade or at the book, ties told by trades."""

import numpy as np
import pytest

from qf.bar_clock import add_bars, bar_clock
from qf.label_spec import add_label, label_spec
from qf.program import Plan
from qf.schema import BIT, NULL_INT
from qf.testing.contract_bars import UNITS, run

BARRIERS = {"upper_barrier": 0.01, "lower_barrier": 0.01, "vertical_barrier": 2}
SECOND = 10**9
INTS = (
    "price_ticks",
    "size_lots",
    "value_units",
    "direction",
    "event_time",
    "processed_time",
    "seq",
    "quality",
)


def trades(ticks, times=None, bid=None, ask=None, quality=None):
    """Return trades in ticks; quotes are in ticks too, one below and one above by default."""
    ticks = np.array(ticks)
    rows = np.arange(len(ticks))
    times = SECOND * (rows if times is None else np.array(times))
    bid = ticks - 1 if bid is None else np.array(bid)
    ask = ticks + 1 if ask is None else np.array(ask)
    return {
        "price_ticks": ticks,
        "size_lots": np.ones_like(rows),
        "value_units": ticks,
        "direction": np.ones_like(rows),
        "event_time": times,
        "processed_time": rows * SECOND,
        "seq": rows,
        "quality": np.zeros_like(rows) if quality is None else np.array(quality),
        "mid": ticks / 100,
        "spread": np.full(len(rows), 0.02),
        "price": ticks / 100,
        "bid_price_0": bid / 100,
        "ask_price_0": ask / 100,
    }


def labels(given, tape, count=2, bars=None):
    """Return the labels on bars of `count` trades, or on those of another rule."""
    plan = Plan()
    plan.clock("tick")
    tick = {name: plan.feed(name, "int" if name in INTS else "float") for name in tape}
    bar = add_bars(plan, bar_clock(bars or {"type": "tick", "count": count}, UNITS), tick)
    spec = label_spec("l", "triple_barrier", {**BARRIERS, **given}, 0.003)
    for name, column in add_label(plan, spec, bar, "labels", tick=tick).items():
        plan.read(name, column)
    return run(plan, tape)["labels"]


@pytest.mark.parametrize(
    ("path", "long", "short"),
    [([990, 1010], -1.0, -1.0), ([1010, 990], 1.0, 1.0)],
    ids=["down first", "up first"],
)
def test_book_replay_takes_the_barrier_that_the_trades_reached_first(path, long, short):
    tape = trades([1000, 1000, *path])
    for side, label in (("long", long), ("short", short)):
        got = labels({"tie": "book_replay", "side": side}, tape)
        assert got["label"].tolist() == [label]
        assert got["label_end"].tolist() == [3 * SECOND]


def test_book_replay_changes_nothing_but_ties():
    draw = np.random.default_rng(5)
    tape = trades(10_000 + np.cumsum(draw.integers(-30, 31, 4000)))
    given = {"upper_barrier": 0.004, "lower_barrier": 0.004, "vertical_barrier": 4}
    stop, replay = (labels({**given, "tie": t}, tape, 8) for t in ("stop_first", "book_replay"))
    skip = labels({**given, "tie": "skip"}, tape, 8)
    clear = np.isin(stop["bar_id"], skip["bar_id"])
    assert 0 < (~clear).sum() < clear.sum()
    assert (stop["label"] == replay["label"])[clear].all()
    assert stop["label"][~clear].tolist() == [-1.0] * (~clear).sum()
    assert set(replay["label"][~clear].tolist()) == {1.0, -1.0}


def test_entry_at_the_next_trade_is_after_the_bar_became_known():
    tape = trades([1000, 1000, 1001, 1000, 1000, 1000])
    got = labels({"entry": "next_trade", "vertical_barrier": 1}, tape)
    assert got["ret"].tolist() == [-1 / 1001, 0.0]
    before = {"type": "time", "seconds": 2}  # bar 0 is known by trade 2, which opens bar 1
    tape = trades([1000, 1000, 1000, 1005, 1000, 1000, 1000])
    got = labels({"entry": "next_trade", "vertical_barrier": 2}, tape, bars=before)
    assert got["ret"][0] == -5 / 1005  # trade 2 made bar 0 known, trade 3 is the entry


def test_a_path_entered_by_a_trade_begins_with_it():
    before = {"type": "time", "seconds": 2}
    tape = trades([1000, 1000, 1020, 1000, 1000, 1000, 1000, 1000])
    assert labels({}, tape, bars=before)["label"][0] == 1.0  # trade 2 is on the path of a close
    got = labels({"entry": "next_trade"}, tape, bars=before)
    assert got["label"].tolist()[0] == 0.0  # entered at trade 3, after it


@pytest.mark.parametrize(("side", "entry"), [("long", 1003), ("short", 996)])
def test_the_book_is_entered_at_the_far_side(side, entry):
    tape = trades(
        [1000] * 6, bid=[999, 999, 996, 990, 990, 990], ask=[1001, 1001, 1003, *[1010] * 3]
    )
    got = labels({"entry": "book", "side": side, "vertical_barrier": 1}, tape)
    assert got["ret"][0] == pytest.approx(1000 / entry - 1, rel=1e-12)
    assert got["barrier"].tolist()[0] == 0


def test_the_book_is_the_one_after_the_burst_that_closed_the_bar():
    times = [0, 1, 1, 0, 2, 3, 4, 5]  # trades 2 and 3 are of the burst, or older
    asks = [1001, 1001, 1001, 1001, 1004, 1005, 1005, 1005]
    tape = trades([1000] * 8, times, ask=asks)
    got = labels({"entry": "book", "vertical_barrier": 3}, tape)
    assert got["ret"][0] == pytest.approx(1000 / 1004 - 1, rel=1e-12)


def test_a_label_without_a_quote_is_null_and_says_why():
    quotes = [1001, 1001, np.nan, 1001, 1001, 1001, 1001, 1001]
    tape = trades([1000] * 8, ask=quotes, quality=[0, 0, BIT["gap"], 0, 0, 0, 0, 0])
    got = labels({"entry": "book", "vertical_barrier": 1}, tape)
    assert np.isnan(got["label"]).tolist() == [True, False, False]
    assert np.isnan(got["ret"]).tolist() == [True, False, False]
    assert got["barrier"].tolist() == [NULL_INT, 0, 0]
    assert got["quality"].tolist() == [BIT["gap"], BIT["gap"], 0]  # the second began in that bar
    assert got["label_end"].tolist() == [3 * SECOND, 5 * SECOND, 7 * SECOND]
    tape["quality"][:] = 0
    got = labels({"entry": "book", "vertical_barrier": 1}, tape)
    assert got["quality"].tolist() == [BIT["undefined"], 0, 0]


def test_no_trade_in_time_is_no_label():
    tape = trades([1000] * 8, times=[5, 5, 5, 5, 5, 5, 6, 7])
    got = labels({"entry": "book", "vertical_barrier": 1}, tape)
    assert got["bar_id"].tolist() == [2]  # trade 6 is the first later one: too late for 0 and 1
