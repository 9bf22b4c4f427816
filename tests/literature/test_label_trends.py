"""Trend scanning against ordinary least squares; classes and bets against known chances."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qf.op import find

PRICE = 10_000


def labelled(name: str, **given) -> list[dict]:
    """Return what a label's definition says of bars, its unread inputs filled in."""
    op = find(name, "labels")
    rows = len(next(iter(given["columns"].values())))
    plain = {"bar": range(rows), "known_time": range(rows)}
    columns = [
        list(given["columns"].get(i.name, plain.get(i.name, [0] * rows)))
        for i in op.signature.inputs
    ]
    return op.rules["definition"](*columns, **op.bind(**given["parameters"]))


def walk(rows: int, seed: int, drift: float = 0.0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return PRICE + np.cumsum(draw.choice([-1, 1], rows, p=[0.5 - drift / 2, 0.5 + drift / 2]))


def t_value(values) -> float:
    """Return slope / standard error of ordinary least squares on 1 and the row number."""
    table = np.column_stack([np.ones(len(values)), np.arange(len(values))])
    found, *_ = np.linalg.lstsq(table, np.asarray(values, float) - values[0], rcond=None)
    rest = np.asarray(values, float) - values[0] - table @ found
    variance = rest @ rest / (len(values) - 2) * np.linalg.inv(table.T @ table)
    return found[1] / math.sqrt(variance[1, 1])


@pytest.mark.parametrize(("shortest", "step"), [(3, 1), (5, 5)])
def test_the_chosen_trend_has_the_largest_t_value_of_least_squares(shortest, step):
    price = walk(90, 1) + np.random.default_rng(2).integers(-2, 3, 90)
    shape = {"window": 25, "shortest": shortest, "step": step, "value": "t_value"}
    rows = labelled("trend_scan", columns={"close_ticks": price.tolist()}, parameters=shape)
    assert len(rows) == 90 - 25
    for row in rows:
        i = row["bar_id"]
        lines = {}
        for h in range(shortest, 26, step):
            lines[h] = t_value(price[i : i + h + 1])
        best = max(lines, key=lambda h: abs(lines[h]))
        assert row["label"] == pytest.approx(lines[best], rel=1e-7)
        assert row["ret"] == price[i + best] / price[i] - 1.0
        assert row["label_end"] == i + 25  # not the end of the trend: a longer one could win


def test_planted_trends_are_found_and_a_still_price_has_none():
    """Stretches of 60 bars up and down by 3 a bar under noise of 2: every inner label says so."""
    steps = np.repeat([3, -3, 3, -3], 60)
    noise = np.rint(np.random.default_rng(5).normal(0, 2, 240)).astype(int)
    price = PRICE + np.cumsum(steps) + noise
    rows = labelled(
        "trend_scan",
        columns={"close_ticks": price.tolist()},
        parameters={"window": 12, "shortest": 6, "step": 1},
    )
    inner = [row for row in rows if row["bar_id"] % 60 < 47]
    assert {row["label"] == math.copysign(1, steps[row["bar_id"] + 1]) for row in inner} == {True}
    still = labelled(
        "trend_scan",
        columns={"close_ticks": [PRICE] * 40},
        parameters={"window": 12, "shortest": 6, "step": 1, "value": "t_value"},
    )
    assert {row["label"] for row in still} == {0.0}


def test_a_perfect_line_is_the_clearest_and_stays_finite():
    (row,) = labelled(
        "trend_scan",
        columns={"close_ticks": list(range(PRICE, PRICE + 11))},
        parameters={"window": 10, "shortest": 5, "step": 5, "value": "t_value"},
    )
    assert 1e6 < row["label"] < 1e7 and row["ret"] == (PRICE + 10) / PRICE - 1.0


def test_a_weak_trend_is_none_by_its_threshold():
    price = walk(200, 9).tolist()
    shape = {"window": 20, "shortest": 5, "step": 1}
    size = labelled(
        "trend_scan", columns={"close_ticks": price}, parameters={**shape, "value": "t_value"}
    )
    said = labelled(
        "trend_scan", columns={"close_ticks": price}, parameters={**shape, "min_t": 12.0}
    )
    for one, other in zip(size, said, strict=True):
        strong = abs(one["label"]) >= 12.0
        assert other["label"] == (math.copysign(1.0, one["label"]) if strong else 0.0)
    assert 0.0 in {row["label"] for row in said} != {0.0}


@pytest.mark.parametrize("bins", [2, 3, 5])
def test_causal_quantiles_split_returns_that_do_not_change_evenly(bins):
    """Independent returns fall into each class with chance 1 / bins, within 4 errors."""
    rows = 3400
    price = 100.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 1e-3, rows)))
    made = labelled(
        "binned_return",
        columns={"price": price.tolist()},
        parameters={"window": 1, "bins": bins, "history": 300},
    )
    labels = np.array([row["label"] for row in made])
    assert sorted(set(labels)) == [k - (bins - 1) / 2 for k in range(bins)]
    # the edges' own error: a quantile of 300 rows is off by about sqrt(p (1 - p) / 300)
    error = math.sqrt(1 / bins * (1 - 1 / bins) * (1 / len(labels) + 1 / 300 / (len(labels) / 300)))
    for value in set(labels):
        assert abs((labels == value).mean() - 1 / bins) < 4 * error


def test_the_edges_of_a_class_are_the_past_s_own_quantiles():
    price = 100.0 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 1e-3, 400)))
    window, history = 4, 50
    rows = labelled(
        "binned_return",
        columns={"price": price.tolist()},
        parameters={"window": window, "bins": 3, "history": history},
    )
    returns = price[window:] / price[:-window] - 1.0
    for row in rows:
        i = row["bar_id"]
        past = returns[i - window - history + 1 : i - window + 1]  # ended by bar i
        edges = np.quantile(past, [1 / 3, 2 / 3])
        assert row["label"] == np.searchsorted(edges, row["ret"]) - 1.0
    assert rows[0]["bar_id"] == window + history - 1


def test_classes_by_volatility_have_the_normal_s_shares():
    rows = 4000
    price = 100.0 * np.exp(np.cumsum(np.random.default_rng(6).normal(0, 1e-4, rows)))
    made = labelled(
        "binned_return",
        columns={"price": price.tolist(), "volatility": [1e-4] * rows},
        parameters={"window": 1, "scale": "volatility", "bins": 3, "width": 1.0},
    )
    labels = np.array([row["label"] for row in made])
    for value, share in ((-1.0, 0.1587), (0.0, 0.6827), (1.0, 0.1587)):
        error = math.sqrt(share * (1 - share) / len(labels))
        assert abs((labels == value).mean() - share) < 4 * error


@pytest.mark.parametrize(("side", "view"), [("long", 1), ("short", -1)])
def test_a_bet_on_a_fair_walk_is_won_with_the_gambler_s_chance(side, view):
    """Steps of one tick, take 4 and stop 8 ticks away: won first with chance 8 / 12."""
    rows, every = 120_000, 300
    price = walk(rows, 8)
    won = []
    for start in range(0, rows - every, every):
        path = (price[start : start + every] - price[start] + PRICE).tolist()
        columns = {"high_ticks": path, "low_ticks": path, "close_ticks": path}
        columns["position"] = [view] + [0] * (every - 1)
        (row,) = labelled(
            "meta_label",
            columns=columns,
            parameters={"take": 4e-4, "stop": 8e-4, "vertical_bars": every - 1, "side": "column"},
        )
        assert row["ret"] == {1: 4e-4, -1: -8e-4}.get(row["barrier"], row["ret"])
        won.append(row["label"])
    error = math.sqrt(8 / 12 * 4 / 12 / len(won))
    assert abs(np.mean(won) - 8 / 12) < 4 * error


def test_a_bet_pays_only_above_its_cost_and_in_its_own_direction():
    path = [PRICE, PRICE + 5, PRICE + 11]
    columns = {"high_ticks": path, "low_ticks": path, "close_ticks": path}
    for view, cost, label, ret in ((1, 1e-3, 1.0, 1.1e-3), (1, 1.2e-3, 0.0, 1.1e-3)):
        (row,) = labelled(
            "meta_label",
            columns={**columns, "position": [view, 0, 0]},
            parameters={"take": 0.0, "stop": 0.0, "vertical_bars": 2, "round_trip": cost},
        )
        assert (row["label"], row["ret"]) == (label, pytest.approx(ret, rel=1e-12))
    (row,) = labelled(
        "meta_label",
        columns={**columns, "position": [-1, 0, 0]},
        parameters={"take": 0.0, "stop": 6e-4, "vertical_bars": 2},
    )
    assert (row["label"], row["ret"], row["barrier"]) == (0.0, -6e-4, -1)


def test_a_bar_without_a_side_has_no_bet():
    path = [PRICE] * 6
    columns = {"high_ticks": path, "low_ticks": path, "close_ticks": path}
    rows = labelled(
        "meta_label",
        columns={**columns, "position": [0, 1, 0, -1, 0, 0]},
        parameters={"take": 0.0, "stop": 0.0, "vertical_bars": 1},
    )
    assert [row["bar_id"] for row in rows] == [1, 3]
