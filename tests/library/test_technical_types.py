"""The technical types equal their textbook recursions, written out in plain Python."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from library.test_every_type_runs import BOOK, graph_of
from qf.lower.formula import program_of

ROWS = 400


@pytest.fixture(scope="module")
def bars():
    draw = np.random.default_rng(4)
    close = 100.0 * np.exp(draw.normal(0.0, 0.01, ROWS).cumsum())
    high, low = close + draw.random(ROWS), close - draw.random(ROWS)
    volume, vwap = draw.lognormal(0.0, 1.0, ROWS), 0.5 * (high + low)
    return {"close": close, "high": high, "low": low, "volume": volume, "vwap": vwap}


def values(name, bars):
    """Return a type's values with its defaults."""
    found = BOOK.get(name)
    assert found is not None
    graph = graph_of(found)
    program, names = program_of({"value": graph})
    return program.push({column: bars[column] for column in names})[graph.clock]["value"].tolist()


def smoothed(rows, alpha):
    found = [rows[0]]
    for value in rows[1:]:
        found.append(found[-1] + alpha * (value - found[-1]))
    return found


def agree(found, expected):
    """Compare the last rows, which is all where nothing is missing, within rounding."""
    assert len(expected) > ROWS - 40
    for a, b in zip(found[-len(expected) :], expected, strict=True):
        assert math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def test_rsi_is_wilders_index(bars):
    moves = np.diff(bars["close"]).tolist()
    ups = smoothed([max(move, 0.0) for move in moves], 1 / 14)
    downs = smoothed([max(-move, 0.0) for move in moves], 1 / 14)
    expected = [100.0 - 100.0 / (1.0 + up / down) if down else 100.0
                for up, down in zip(ups, downs, strict=True)]  # fmt: skip
    agree(values("rsi", bars), expected)


def test_atr_reaches_to_the_close_before(bars):
    high, low, close = (bars[name].tolist() for name in ("high", "low", "close"))
    ranges = [
        max(top - bottom, abs(top - before), abs(bottom - before))
        for top, bottom, before in zip(high[1:], low[1:], close, strict=False)
    ]
    agree(values("atr", bars), smoothed(ranges, 1 / 14))


def test_macd_and_its_histogram(bars):
    close = bars["close"].tolist()
    fast, slow = smoothed(close, 2 / 13), smoothed(close, 2 / 27)
    line = [a - b for a, b in zip(fast, slow, strict=True)]
    agree(values("ema", bars), fast)
    agree(values("macd", bars), line)
    signal = smoothed(line, 2 / 10)
    agree(values("macd_histogram", bars), [a - b for a, b in zip(line, signal, strict=True)])


def test_bollinger_width_divides_by_the_window(bars):
    close = bars["close"].tolist()
    parts = [close[t - 19 : t + 1] for t in range(19, ROWS)]
    expected = [4.0 * statistics.pstdev(part) / statistics.fmean(part) for part in parts]
    agree(values("bollinger_width", bars), expected)


def test_vwap_reversion_weighs_by_volume(bars):
    close, volume, vwap = (bars[name].tolist() for name in ("close", "volume", "vwap"))
    expected = []
    for t in range(19, ROWS):
        part = range(t - 19, t + 1)
        middle = sum(vwap[i] * volume[i] for i in part) / sum(volume[i] for i in part)
        expected.append(close[t] / middle - 1.0)
    agree(values("vwap_reversion", bars), expected)
