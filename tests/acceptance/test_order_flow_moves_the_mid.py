"""Order flow imbalance explains the mid's moves on a real capture; trade imbalance much less.

Cont, Kukanov and Stoikov (2014) report a linear relation with an R-squared near .65 for large
stocks. Here: the change of the mid over one second against the sum of a flow over that second.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def seconds(ran):
    """Give the spot capture's seconds: the change of the mid, and each flow's sum."""
    trades = ran("spot").reader.frame("cdm_trade_enriched")
    flows = {
        "best": pl.col("ofi").list.get(0),
        "five": pl.col("ofi").list.head(5).list.sum(),
        "sizes": (pl.col("bid_depth") - pl.col("ask_depth")).diff(),
        "trades": pl.col("buy_volume") - pl.col("sell_volume"),
    }
    rows = (
        trades.sort("seq")
        .with_columns(second=pl.col("event_time").cast(pl.Int64) // SECOND_NS)
        .group_by("second", maintain_order=True)
        .agg(pl.col("mid").last(), *(each.sum().alias(name) for name, each in flows.items()))
        .with_columns(change=pl.col("mid").diff())
        .drop_nulls()
    )
    assert len(rows) > 300
    return rows


def explained(rows, flow):
    """Return the R-squared of the mid's change on a flow."""
    return float(np.corrcoef(rows["change"], rows[flow])[0, 1] ** 2)


def test_order_flow_explains_more_than_half_and_trades_do_not(seconds):
    found = {name: explained(seconds, name) for name in ("best", "five", "sizes", "trades")}
    print({name: round(value, 3) for name, value in found.items()}, len(seconds), "seconds")
    assert found["best"] > 0.5
    assert found["five"] > found["best"] > found["trades"] + 0.15
    assert found["trades"] < 0.4
    assert found["sizes"] < 0.1  # plain size differences miss every move of the price


def test_a_buy_pushes_the_mid_up(seconds):
    for name in ("best", "five", "trades"):
        assert np.corrcoef(seconds["change"], seconds[name])[0, 1] > 0, name
