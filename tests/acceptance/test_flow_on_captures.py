"""Classifiers and flows on the real captures: agreement with the true sides, explained moves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import qf
from tests.acceptance.projects import KINDS

RULES = {
    "tick": "tick_rule(price)",
    "quote": "quote_rule(price, mid)",
    "lee_ready": "lee_ready(price, mid)",
    "lee_ready, a trade late": "lee_ready(price, lag(mid, 1))",
    "emo": "emo(price, bid_price_0, ask_price_0)",
    "clnv": "clnv(price, bid_price_0, ask_price_0)",
}
# The least share of sides that a rule recovers, per capture: what was measured, less a little.
LEAST = {"spot": 0.991, "usdm": 0.994, "coinm": 0.999}
every = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def ticks(ran):
    """Give a function: kind -> the columns of the market trades."""

    def read(kind):
        rows = ran(kind).reader.frame("cdm_trade_enriched").sort("seq")
        rows = rows.filter(pl.col("mid").is_not_null() & pl.col("ofi").is_not_null())
        plain = ("price", "size", "mid", "direction", "buy_volume", "sell_volume")
        columns = {name: rows[name].cast(pl.Float64).to_numpy() for name in plain}
        columns["direction"] = rows["direction"].to_numpy()
        columns["processed_time"] = rows["processed_time"].cast(pl.Int64).to_numpy()
        for family in ("ofi", "bid_price", "ask_price", "bid_size", "ask_size"):
            for level in range(5):
                values = rows[family].list.get(level).to_numpy()
                columns[f"{family}_{level}"] = values.astype(np.float64)
        return columns

    return read


@every
def test_each_rule_recovers_its_share_of_the_true_sides(ticks, kind):
    columns = ticks(kind)
    truth = columns["direction"]
    assert (truth != 0).all()  # these venues say the side
    right = {}
    for name, call in RULES.items():
        found = qf.formula(call).run(columns)
        right[name] = float(np.mean(found == truth))
    print(kind, len(truth), "trades", {name: f"{share:.2%}" for name, share in right.items()})
    for name in ("lee_ready", "emo", "clnv"):
        assert right[name] >= LEAST[kind], name
    assert right["lee_ready"] >= right["quote"]
    assert right["lee_ready"] > right["lee_ready, a trade late"]
    assert 0.5 < right["tick"] < right["lee_ready"]


@every
def test_the_bulk_rule_is_right_on_balance_only(ticks, kind):
    """Over bars of fifty trades the bulk imbalance goes with the true one, less than sides do."""
    columns = ticks(kind)
    rows = len(columns["price"]) // 50 * 50
    size = columns["size"][:rows].reshape(-1, 50).sum(axis=1)
    signed = (columns["buy_volume"] - columns["sell_volume"])[:rows].reshape(-1, 50).sum(axis=1)
    close = columns["price"][49:rows:50].copy()
    share = qf.formula("bulk_buy_share(close, 20)", clock="tick_k_50").run({"close": close})
    known = np.isfinite(share)
    agreement = np.corrcoef((2 * share - 1)[known], (signed / size)[known])[0, 1]
    print(kind, f"bulk against true imbalance: correlation {agreement:.2f}")
    assert 0.2 < agreement < 0.95


@every
def test_vpin_lies_within_its_bounds_on_real_trades(ticks, kind):
    columns = ticks(kind)
    found = qf.formula("vpin(size, buy_volume, sell_volume, 1000, 50)").run(columns)
    known = found[999:]
    assert np.isfinite(known).all()
    assert known.min() >= 0.0 and known.max() <= 1.0
    print(kind, f"VPIN {known.min():.2f} .. {known.max():.2f}, mean {known.mean():.2f}")


@pytest.mark.parametrize("kind", ["spot", "usdm"])
def test_more_levels_explain_more_and_trades_the_least(ticks, kind):
    """R2 of the mid's change over 100 trades on each flow of them, windows that do not overlap."""
    columns, window = ticks(kind), 100
    change = columns["mid"] - np.r_[np.full(window, np.nan), columns["mid"][:-window]]
    depth = f"rolling_mean(sum_levels(bid_size, 5) + sum_levels(ask_size, 5), {window})"
    calls = {
        "trades": f"rolling_sum(buy_volume - sell_volume, {window})",
        "best level": f"rolling_sum(ofi_0, {window})",
        "five levels": f"rolling_sum(sum_levels(ofi, 5), {window})",
        "five, in depths": f"rolling_sum(sum_levels(ofi, 5), {window}) / {depth}",
        "integrated": f"integrated_ofi(5, {window}, 1000)",
    }
    flows = {name: qf.formula(call).run(columns) for name, call in calls.items()}
    known = np.isfinite(change) & np.all([np.isfinite(each) for each in flows.values()], axis=0)
    rows = np.flatnonzero(known)[::window]
    found = {
        name: float(np.corrcoef(each[rows], change[rows])[0, 1] ** 2)
        for name, each in flows.items()
    }
    print(kind, {name: round(value, 3) for name, value in found.items()}, len(rows), "windows")
    assert found["integrated"] > found["best level"] > found["trades"] + 0.15
    assert found["five, in depths"] > found["five levels"] > found["best level"]
