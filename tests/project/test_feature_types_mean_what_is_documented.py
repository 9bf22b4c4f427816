"""The library's feature types are the documented formulas: each against plain Python."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from qf.language.columns import ColumnTable, Input
from qf.lower.to_program import lower
from qf.program import Plan, Program
from qf.project.document import parse_document
from qf.project.feature_types import TypeBook, bind_parameters
from qf.project.graphs import compile_type
from qf.schema import NULL_INT
from qf.testing.market import columns

ROWS = 700
LEVELS = 5


@pytest.fixture(scope="module")
def market():
    return columns("jumps", 5, ROWS)


def run(name, market, **params):
    """Return a type's values on every row, computed by the machine."""
    book = TypeBook(None, [])
    found = book.get(name)
    assert found is not None
    given = bind_parameters(found, params, parse_document("{}", name), ())
    if found.mode == "bar":
        inputs = {"signal": Input("signal", "float", "any", "rows")}
        table = ColumnTable("rows", ("rows",), {})
    else:
        table, inputs = ColumnTable.tick(LEVELS), {}
    graph = compile_type(found, given, table, inputs)
    plan = Plan()
    plan.clock(graph.clock)
    feeds = {}
    for column in graph.columns:
        source = "x" if column == "signal" else column
        array = market[source]
        kind = "int" if array.dtype == np.int64 else "float"
        feeds[column] = plan.feed(column, kind)
    time = plan.feed("processed_time", "int")
    plan.read("y", lower(graph, plan, feeds, time))
    pushed = {name: market["x" if name == "signal" else name] for name in feeds}
    made = Program(plan).push({**pushed, "processed_time": market["processed_time"]})
    return made[graph.clock]["y"]


def rows_of(market, *names):
    """Return the named columns as lists, missing as NaN."""
    found = []
    for name in names:
        array = market[name].astype(float)
        if market[name].dtype == np.int64:
            array[market[name] == NULL_INT] = math.nan
        found.append(array.tolist())
    return found


def window_of(values, t, w):
    part = values[t - w + 1 : t + 1]
    return part if t >= w - 1 and not any(math.isnan(v) for v in part) else None


def std(part):
    mean = math.fsum(part) / len(part)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in part) / (len(part) - 1))


def returns(price):
    return [math.nan, *(math.log(b / a) for a, b in pairwise(price))]


def mid_rank(part):
    newest = part[-1]
    tie = [abs(v - newest) <= 1e-9 * max(abs(v), abs(newest)) for v in part]
    below = sum(v < newest and not same for v, same in zip(part, tie, strict=True))
    return (below + 0.5 * sum(tie)) / len(part)


def agree(found, expected, tolerance=1e-9):
    """Check every row: null where the meaning is null, else equal within the tolerance."""
    values = 0
    for t, (a, b) in enumerate(zip(found.tolist(), expected, strict=True)):
        if b is None or math.isnan(b):
            assert math.isnan(a), f"row {t}: {a} where the meaning is null"
        else:
            values += 1
            assert abs(a - b) <= tolerance * max(1.0, abs(b)), f"row {t}: {a}, expected {b}"
    assert values > 100


def test_price_velocity_volume_ratio(market):
    price, size = rows_of(market, "price", "size")
    w = 50
    expected = [
        abs(price[t] - price[t - w]) / (math.fsum(size[t - w + 1 : t + 1]) / w) if t >= w else None
        for t in range(ROWS)
    ]
    agree(run("price_velocity_volume_ratio", market, window=w), expected)


def test_relative_volume(market):
    (size,) = rows_of(market, "size")
    parts = [window_of(size, t, 100) for t in range(ROWS)]
    expected = [p[-1] / (math.fsum(p) / 100) if p else None for p in parts]
    agree(run("relative_volume", market), expected)


def test_realized_volatility_and_its_ratio(market):
    (price,) = rows_of(market, "price")
    r = returns(price)
    short = [std(p) if (p := window_of(r, t, 20)) else None for t in range(ROWS)]
    long = [std(p) if (p := window_of(r, t, 300)) else None for t in range(ROWS)]
    agree(run("realized_volatility", market), short)
    ratio = [a / b if a is not None and b else None for a, b in zip(short, long, strict=True)]
    agree(run("realized_volatility_percentile", market), ratio)


def test_volatility_rank(market):
    (price,) = rows_of(market, "price")
    r = returns(price)
    short = [std(p) if (p := window_of(r, t, 20)) else math.nan for t in range(ROWS)]
    expected = [mid_rank(p) if (p := window_of(short, t, 300)) else None for t in range(ROWS)]
    agree(run("volatility_rank", market), expected)


def test_ofi(market):
    levels = rows_of(market, *(f"ofi_{level}" for level in range(LEVELS)))
    total, expected = 0.0, []
    for t in range(ROWS):
        x = sum(level[t] for level in levels)
        total = x + 0.9 * total if not math.isnan(x) else 0.0
        expected.append(total if not math.isnan(x) else None)
    agree(run("ofi", market, decay=0.9), expected)


def test_cumulative_volume_delta(market):
    buy, sell = rows_of(market, "buy_volume", "sell_volume")
    flow = [a - b for a, b in zip(buy, sell, strict=True)]
    parts = [window_of(flow, t, 200) for t in range(ROWS)]
    agree(run("cumulative_volume_delta", market), [math.fsum(p) if p else None for p in parts])


@pytest.mark.parametrize("sided", [True, False])
def test_depth_change_rate(market, sided):
    def depth(side):
        families = rows_of(market, *(f"{side}_size_{level}" for level in range(LEVELS)))
        return [sum(level[t] for level in families) for t in range(ROWS)]

    def rate(d, t, w=50):
        whole = d[t] + d[t - w]
        return (d[t] - d[t - w]) / whole if whole else math.nan

    bid, ask = depth("bid"), depth("ask")
    both = [a + b for a, b in zip(bid, ask, strict=True)]
    expected = [
        None if t < 50 else (rate(bid, t) - rate(ask, t)) / 2 if sided else rate(both, t)
        for t in range(ROWS)
    ]
    found = run("depth_change_rate", market, side_sensitive=sided)
    agree(found, expected)
    assert np.nanmax(np.abs(found)) <= 1.0


def test_signal_to_noise_and_sharpe(market):
    (x,) = rows_of(market, "x")
    means = [
        (math.fsum(p) / 100 / std(p) if std(p) else None) if (p := window_of(x, t, 100)) else None
        for t in range(ROWS)
    ]
    agree(run("rolling_sharpe_ratio", market), means, 1e-6)
    noise = [
        (abs(math.fsum(p)) / 50 / std(p) if std(p) else None)
        if (p := window_of(x, t, 50))
        else None
        for t in range(ROWS)
    ]
    agree(run("signal_to_noise_ratio", market), noise, 1e-6)


def test_spread_regime_indicator(market):
    (spread,) = rows_of(market, "spread_ticks")
    expected = [mid_rank(p) if (p := window_of(spread, t, 100)) else None for t in range(ROWS)]
    agree(run("spread_regime_indicator", market), expected)


def test_rate_of_change(market):
    (price,) = rows_of(market, "price")
    expected = [price[t] / price[t - 10] - 1 if t >= 10 else None for t in range(ROWS)]
    agree(run("rate_of_change", market), expected)


def test_autocorrelation(market):
    (x,) = rows_of(market, "x")
    lag, w = 5, 50

    def correlation(t):
        a, b = window_of(x, t, w), window_of(x, t - lag, w)
        if a is None or b is None or t < w - 1 + lag or not std(a) or not std(b):
            return None
        ma, mb = math.fsum(a) / w, math.fsum(b) / w
        cov = math.fsum((p - ma) * (q - mb) for p, q in zip(a, b, strict=True)) / (w - 1)
        return cov / (std(a) * std(b))

    agree(run("autocorrelation", market, lag=lag), [correlation(t) for t in range(ROWS)], 1e-6)


def test_spread_bps_and_cumulative_depth(market):
    spread, mid = rows_of(market, "spread", "mid")
    agree(
        run("spread_bps", market),
        [10_000 * s / m for s, m in zip(spread, mid, strict=True)],
    )
    sizes = [rows_of(market, f"bid_size_{level}", f"ask_size_{level}") for level in range(LEVELS)]
    for weighted in (True, False):
        expected = [
            sum((b[t] + a[t]) / (n + 1 if weighted else 1) for n, (b, a) in enumerate(sizes))
            for t in range(ROWS)
        ]
        agree(run("cumulative_depth", market, weighted=weighted), expected)
