"""On a real capture: labels entered at the book, ties told by trades, both recomputed by hand."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import numpy as np
import polars as pl
import pytest

from qf.schema import BIT
from tests.acceptance.projects import make_project, run_folder

WIDTH, BARS, TICK, CLOCK = 0.00002, 20, 0.01, "dollar_k_50000"
OLD = """    - name: triple_barrier_20_10bp
      type: triple_barrier
      parameters: { horizon: 20, upper_barrier: 0.001, lower_barrier: 0.001, vertical_barrier: 20 }
"""
NEW = """    - name: {entry}_{side}
      type: triple_barrier
      parameters: {{ upper_barrier: {width}, lower_barrier: {width}, vertical_barrier: {bars},
        entry: {entry}, side: {side}, tie: book_replay }}
      bar_types: [dollar]
"""


@pytest.fixture(scope="module")
def found(shared, shared_data, tmp_path_factory):
    """Give trades, bars and labels of the spot capture, as frames."""
    folder = tmp_path_factory.mktemp("labels") / "by_trades"
    entries = (
        NEW.format(entry=entry, side=side, width=format(WIDTH, "f"), bars=BARS)
        for entry in ("close", "book")
        for side in ("long", "short")
    )
    edits = {OLD: "".join(entries) + OLD, "labels, features, vectors]": "labels]"}
    source = shared / "walkthrough" / "breakout_alpha"
    reader = run_folder(make_project(folder, shared_data, "spot", source, edits)).reader
    trades = reader.frame("cdm_trade_enriched").filter(pl.col("quality") & BIT["non_market"] == 0)
    return trades, reader.bars(CLOCK).collect().sort("bar_id"), reader.labels().collect()


def times(frame, name):
    return frame[name].cast(pl.Int64).to_numpy()


def entries(trades, ends, entry, side):
    """Return row and price in ticks by which each bar's label is entered; None where by none."""
    price = np.round(trades["price"].to_numpy() / TICK).astype(int)
    if entry == "close":
        return [(end + 1, price[end]) for end in ends]
    quotes = trades["ask_price" if side == "long" else "bid_price"].list.get(0).to_numpy()
    venue = times(trades, "event_time")
    newest = np.maximum.accumulate(venue)
    rows = [end + 1 + np.flatnonzero(venue[end + 1 :] > newest[end]) for end in ends]
    return [(r[0], round(quotes[r[0]] / TICK)) if len(r) else None for r in rows]


def told_by_trades(trades, ends, entry, side):
    """Return bar -> (label, bar that decided, whether that bar reached both barriers)."""
    price = np.round(trades["price"].to_numpy() / TICK).astype(int)
    width = Fraction(round(WIDTH * 1e9), 10**9)
    told = {}
    for bar, entered in enumerate(entries(trades, ends, entry, side)):
        last = bar + BARS
        if entered is None or entered[0] > ends[min(last, len(ends) - 1)]:
            continue
        row, at = entered
        path = price[row : ends[min(last, len(ends) - 1)] + 1]
        above, below = path >= ceil(at * (1 + width)), path <= floor(at * (1 - width))
        hits = np.flatnonzero(above | below)
        if len(hits):
            decided = int(np.searchsorted(ends, row + hits[0]))
            rest = slice(hits[0], ends[decided] + 1 - row)
            tie = above[rest].any() and below[rest].any()
            told[bar] = (1.0 if above[hits[0]] else -1.0, decided, tie)
        elif last < len(ends):
            told[bar] = (0.0, last, False)
    return told


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("entry", ["close", "book"])
def test_labels_are_what_the_trades_say(found, entry, side):
    trades, bars, labels = found
    ends = np.cumsum(bars["trade_count"].to_numpy()) - 1
    told = told_by_trades(trades, ends, entry, side)
    own = labels.filter(pl.col("label_name") == f"{entry}_{side}").sort("bar_id")
    ties = sum(tie for _, _, tie in told.values())
    print(f"{entry} {side}: {len(told)} labels, {ties} ties")
    assert own["bar_id"].to_list() == sorted(told)
    assert own["label"].to_list() == [told[bar][0] for bar in sorted(told)]
    known = times(bars, "feature_time")
    assert times(own, "label_end").tolist() == [known[told[bar][1]] for bar in sorted(told)]
    assert len(told) > 450
    assert ties > 10


def test_the_book_costs_half_the_spread_on_average_over_both_sides(found):
    trades, bars, _ = found
    ends = np.cumsum(bars["trade_count"].to_numpy()) - 1
    close = np.round(bars["close"].to_numpy() / TICK)
    worse = {}
    for side, sign in (("long", 1), ("short", -1)):
        entered = entries(trades, ends, "book", side)
        gaps = [sign * (at[1] - close[bar]) for bar, at in enumerate(entered) if at]
        worse[side] = TICK * float(np.mean(gaps))
    rows = [at[0] for at in entries(trades, ends, "book", "long") if at]
    half = trades["spread"].to_numpy()[rows].mean() / 2
    average = (worse["long"] + worse["short"]) / 2
    print(f"book worse than close by {worse}, on average {average:.4f}; half spread {half:.4f}")
    assert average == pytest.approx(half, rel=1e-6)
