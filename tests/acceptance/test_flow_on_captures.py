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
LEAST = {"spot": 0.992, "usdm": 0.994, "coinm": 0.999}
SECOND_NS = 1_000_000_000
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


def test_more_levels_explain_more_and_trades_the_least(ticks):
    """R2 of the mid's change over a second on each flow of that second, on the spot capture."""
    columns = ticks("spot")
    second = columns["processed_time"] // SECOND_NS
    last = np.flatnonzero(np.diff(second, append=second[-1] + 1))
    change = np.diff(columns["mid"][last])

    def summed(call):
        total = np.nancumsum(qf.formula(call).run(columns))[last]
        return np.corrcoef(np.diff(total), change)[0, 1] ** 2

    depth = "0.5 * rolling_mean(sum_levels(bid_size, 5) + sum_levels(ask_size, 5), 500)"
    integrated = "first_component(ofi_0, ofi_1, ofi_2, ofi_3, ofi_4, 0, 0, 0, 0, 0, 1000)"
    found = {
        "trades": summed("buy_volume - sell_volume"),
        "best level": summed("ofi_0"),
        "five levels": summed("sum_levels(ofi, 5)"),
        "five, lighter outward": summed("fading_levels(ofi, 5, 0.8)"),
        "five, in depths": summed(f"sum_levels(ofi, 5) / ({depth})"),
        "integrated": summed(integrated),
    }
    print({name: round(value, 3) for name, value in found.items()}, len(change), "seconds")
    assert found["five levels"] > found["best level"] > found["trades"] + 0.15
    assert found["integrated"] > found["trades"]
