"""Imbalance and run bars by expected values: the published counts, and guards against running away.

The published rule, written out below over plain lists, is the oracle; the reference counts are of
the reference tick table with E[T] = 1000 at first, a window of 10,000 trades and 3 bars.
"""

from __future__ import annotations

import csv
import itertools
from fractions import Fraction

import numpy as np
import pytest

from qf.bar_clock import Units, add_bars, bar_clock
from qf.bar_stability import stability
from qf.testing.contract_bars import run, tick_plan

UNITS = Units(tick=Fraction(1, 4), lot=Fraction(1), value=Fraction(1, 4))
PUBLISHED = {"ticks": 1000, "window": 10_000, "bars": 3, "floor": 0.0, "cap": 1e9}


def tape_of(price, size, direction):
    """Return a tick clock's columns, a second apart."""
    rows = len(price)
    times = 1_312_152_000_000_000_000 + np.arange(rows) * 1_000_000_000
    return {
        "price_ticks": price,
        "size_lots": size,
        "value_units": price * size,
        "direction": direction,
        "event_time": times,
        "processed_time": times,
        "seq": np.arange(rows),
        "quality": np.zeros(rows, np.int64),
        "mid": price / 4,
        "spread": np.ones(rows),
        "x": np.ones(rows),
    }


def tick_rule(price):
    """Return +1 after a rise, -1 after a fall, the side before where neither; 0 at first."""
    side, sides = 0, [0]
    for before, now in itertools.pairwise(price):
        side = side if now == before else (1 if now > before else -1)
        sides.append(side)
    return np.array(sides, np.int64)


@pytest.fixture(scope="module")
def reference(request):
    folder = request.getfixturevalue("shared_data")
    with (folder / "golden/imbalance_sample_data_small.csv").open() as lines:
        rows = [(Fraction(r["Price"]) * 4, int(r["Volume"])) for r in csv.DictReader(lines)]
    price, size = (np.array([int(row[k]) for row in rows], np.int64) for k in (0, 1))
    assert len(rows) == 6_955 and [row[0] for row in rows] == price.tolist()
    return tape_of(price, size, tick_rule(price))


def bars_of(entry, tape):
    plan, tick = tick_plan()
    clock = bar_clock(entry, UNITS)
    for name, column in add_bars(plan, clock, tick).items():
        plan.read(name, column)
    return run(plan, tape)[clock.name]


def ewma(values, span):
    """Return the last exponential mean, weights summed up from the first value."""
    keep, total, weight = 1.0 - 2.0 / (span + 1.0), 0.0, 0.0
    for value in values:
        total, weight = total * keep + value, weight * keep + 1.0
    return total / weight


def amounts(tape, of):
    return {"ticks": np.ones(len(tape["x"])), "volume": tape["size_lots"]}.get(
        of, tape["value_units"]
    )


def published_imbalance_bars(flows, first, bars):
    """Return the last row of each bar, as the published rule says."""
    theta, start, expected, mean, lengths, closes = 0.0, 0, first, None, [], []
    for t, flow in enumerate(flows):
        theta += flow
        if mean is None and t + 1 >= first:
            mean = ewma(flows[: t + 1], t + 1)
        if mean is not None and abs(theta) > expected * abs(mean):
            lengths.append(t + 1 - start)
            expected, mean = ewma(lengths[-bars:], bars), ewma(flows[: t + 1], t + 1)
            theta, start = 0.0, t + 1
            closes.append(t)
    return closes


def published_run_bars(flows, first, bars):
    """Return the last row of each bar, as the published rule says."""
    bought, sold = [], []
    start, expected, lengths, shares, limit, closes = 0, first, [], [], None, []
    buys = up = down = 0.0  # of the open bar
    for t, flow in enumerate(flows):
        bought += [flow] if flow > 0 else []
        sold += [-flow] if flow < 0 else []
        buys, up, down = buys + (flow > 0), up + max(flow, 0.0), down + max(-flow, 0.0)
        share = buys / (t + 1 - start)
        if limit is None and min(len(bought), len(sold)) >= first:
            means = ewma(bought, len(bought)), ewma(sold, len(sold))
            limit = max(share * means[0], (1.0 - share) * means[1])
        if limit is not None and max(up, down) > expected * limit:
            lengths.append(t + 1 - start)
            shares.append(share)
            expected, part = ewma(lengths[-bars:], bars), ewma(shares[-bars:], bars)
            means = ewma(bought, len(bought)), ewma(sold, len(sold))
            limit = max(part * means[0], (1.0 - part) * means[1])
            start, buys, up, down = t + 1, 0.0, 0.0, 0.0
            closes.append(t)
    return closes


@pytest.mark.parametrize("of", ["ticks", "volume", "value"])
def test_imbalance_bars_close_where_the_published_rule_closes_them(reference, of):
    if of == "ticks":  # a bar every other trade: the oracle over lists takes long
        reference = {name: column[:2_500] for name, column in reference.items()}
    flows = (reference["direction"] * amounts(reference, of)).tolist()
    entry = {"type": "imbalance_afml", "of": of, "clamp": 0.0, **PUBLISHED}
    made = bars_of(entry, reference)["close_row"].tolist()
    assert made == published_imbalance_bars(flows, 1000, 3)
    assert of == "ticks" or len(made) == 624


@pytest.mark.parametrize("of", ["ticks", "volume", "value"])
def test_run_bars_close_where_the_published_rule_closes_them(reference, of):
    flows = (reference["direction"] * amounts(reference, of)).tolist()
    made = bars_of({"type": "run_afml", "of": of, **PUBLISHED}, reference)["close_row"].tolist()
    assert made == published_run_bars(flows, 1000, 3)
    assert len(made) == 2


def calm_market(rows, seed, share=0.5):
    """Return trades of independent sides and sizes; `share` of them buys."""
    draw = np.random.default_rng(seed)
    side = np.where(draw.random(rows) < share, 1, -1)
    size = 1 + draw.geometric(0.2, rows)
    return tape_of(np.full(rows, 4_000), size, side)


def test_the_published_rule_collapses_on_a_balanced_market_and_the_guards_hold():
    tape = calm_market(40_000, 1)
    bare = bars_of({"type": "imbalance_afml", "clamp": 0.0, **PUBLISHED | {"ticks": 200}}, tape)
    guarded = bars_of({"type": "imbalance_afml", "ticks": 200}, tape)
    assert stability(bare["trade_count"]).fault == "it collapsed to bars of one trade"
    steady = stability(guarded["trade_count"])
    assert steady.fault == "" and 100.0 < steady.mean < 600.0, steady.words


def test_the_published_rule_keeps_a_first_long_bar_for_ever_and_the_guards_do_not():
    tape = calm_market(40_000, 2, 0.98)  # the first bar waits for 200 sells: 10,000 trades
    bare = bars_of({"type": "run_afml", **PUBLISHED | {"ticks": 200}}, tape)
    guarded = bars_of({"type": "run_afml", "ticks": 200}, tape)
    assert bare["trade_count"].min() > 8_000 and len(bare["bar_id"]) <= 4
    assert guarded["trade_count"][1:].max() < 1_500 and len(guarded["bar_id"]) > 20


def test_stability_names_what_went_wrong():
    assert stability([]).fault == "it closed no bar"
    assert stability([1] * 30 + [50]).fault == "it collapsed to bars of one trade"
    assert "run away" in stability([10] * 10 + [400] * 10).fault
    assert "shrink" in stability([400] * 10 + [10] * 10).fault
    assert stability([90, 110, 100, 95] * 5).fault == ""
