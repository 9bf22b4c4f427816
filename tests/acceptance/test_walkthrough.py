"""The user's own files, unchanged: tables, keys, features, labels, staleness, warnings."""

from __future__ import annotations

import numpy as np
import polars as pl

from qf.schema import NULL_ON

SET = "microstructure_breakout"
CLOCKS = {
    "breakout_strength": "dollar_k_50000",
    "breakout_volume_spike": "dollar_k_50000",
    "volatility_expansion": "dollar_k_50000",
    "volatility_compression_score": "dollar_k_50000",
    "order_flow_imbalance": "imbalance_k_10",
    "cumulative_delta": "imbalance_k_10",
    "liquidity_vacuum_score": "run_w_10",
    "breakout_snr": "dollar_k_50000",
    "breakout_sharpe": "dollar_k_50000",
    "volatility_regime": "dollar_k_50000",
    "liquidity_regime": "dollar_k_50000",
    "momentum_10t": "dollar_k_50000",
    "momentum_autocorr": "dollar_k_50000",
    "spread_bps": "tick_k_50",
    "slippage_proxy": "tick_k_50",
}
STALENESS = {
    "order_flow_imbalance": ("decay", 5000.0),
    "cumulative_delta": ("decay", 5000.0),
    "liquidity_vacuum_score": ("invalidate", 3000.0),
    "spread_bps": ("invalidate", 500.0),
    "slippage_proxy": ("invalidate", 500.0),
}


def test_fifteen_features_lie_on_their_own_clocks(ran):
    each = ran("spot")
    long = each.reader.features(SET).collect()
    found = dict(long.group_by("feature_name").agg(pl.col("bar_clock").unique()).iter_rows())
    assert {name: clocks[0] for name, clocks in found.items()} == CLOCKS
    assert all(len(clocks) == 1 for clocks in found.values())
    key = ["venue", "symbol", "bar_clock", "bar_id", "feature_set", "feature_name"]
    assert long.select(key).is_unique().all()
    counts = long.group_by("feature_name").len()
    bars = each.result.symbols[0].bars
    for name, rows in counts.iter_rows():
        assert rows == bars[CLOCKS[name]], name


def test_no_null_is_without_a_reason_and_no_reason_without_a_null(ran):
    long = ran("spot").reader.features(SET).collect()
    nulls = long.filter(pl.col("value").is_null())
    assert (nulls["quality"] != 0).all()
    assert long.filter(pl.col("quality") & NULL_ON != 0)["value"].is_null().all()
    warm = long.filter(pl.col("bar_id") < 100)
    assert warm["value"].is_null().all()


def test_labels_and_features_of_a_clock_join_one_to_one(ran):
    reader = ran("spot").reader
    names = ["triple_barrier_20_10bp", "triple_barrier_50_5bp"]
    labels = reader.labels().collect()
    assert sorted(labels["label_name"].unique()) == names
    assert (labels["label_end"] >= labels["feature_time"]).all()
    key = ["venue", "symbol", "bar_clock", "bar_id"]
    features = reader.features(SET).filter(pl.col("feature_name") == "momentum_10t").collect()
    for name in names:
        one = labels.filter(pl.col("label_name") == name)
        joined = one.join(features, on=key, how="inner")
        assert len(joined) == len(one)
        assert joined.select(key).is_unique().all()
        assert (joined["feature_time"] == joined["feature_time_right"]).all()
    training = reader.training_set(SET, names).collect()
    assert len(training) > 0


def test_vectors_obey_the_staleness_contracts(ran):
    reader = ran("spot").reader
    vectors = reader.vectors(SET).collect().sort("bar_id")
    rows = reader.features(SET).collect()
    closes = {
        clock: reader.bars(clock).select("bar_id", "close_seq").collect()
        for clock in set(CLOCKS.values())
    }
    decisions = closes["dollar_k_50000"].sort("bar_id")
    for name, clock in CLOCKS.items():
        own = (
            rows.filter(pl.col("feature_name") == name)
            .join(closes[clock], on="bar_id")
            .sort("close_seq")
        )
        seen = vectors.select("bar_id", "feature_time", name, f"{name}_age_ms")
        seen = seen.join(decisions, on="bar_id").sort("close_seq")
        # One trade may close several bars of a clock: the last of them is the newest.
        own = own.unique("close_seq", keep="last", maintain_order=True)
        joined = seen.join_asof(own, on="close_seq", suffix="_own")
        # Polars multiplies by a reciprocal where numpy divides: the division is numpy's here.
        age = (joined["feature_time"] - joined["feature_time_own"]).cast(pl.Int64)
        age = pl.Series(np.where(age.is_null(), np.nan, age.fill_null(0).to_numpy() / 1e6))
        assert np.array_equal(
            age.to_numpy(), joined[f"{name}_age_ms"].to_numpy(), equal_nan=True
        ), name
        want = joined["value"].to_numpy().copy()
        action, ttl = STALENESS.get(name, ("hold", np.inf))
        late = np.nan_to_num(age.to_numpy(), nan=0.0) > ttl
        if action == "invalidate":
            want[late] = np.nan
        elif action == "decay":
            want[late] *= 2.0 ** -((age.to_numpy()[late] - ttl) / ttl)
        got = joined[name].to_numpy()
        assert np.array_equal(np.isnan(got), np.isnan(want)), name
        np.testing.assert_allclose(got, want, rtol=1e-12, equal_nan=True, err_msg=name)


def test_a_clock_that_stays_below_its_warm_up_is_named(ran):
    warnings = ran("spot").result.warnings
    text = "imbalance_k_10 closed 4 bars; order_flow_imbalance needs 100"
    assert any(text in warning for warning in warnings), warnings
    notes = ran("spot").project.notes
    assert any("below the round-trip cost" in note for note in notes), notes


def test_the_chosen_tables_are_there_with_their_rows(ran):
    tables = ran("spot").reader.tables()
    for name in (
        "cdm_trade_enriched",
        "cdm_lob_l2",
        "cdm_dollar_bars",
        "cdm_imbalance_bars",
        "cdm_tick_bars",
        "cdm_run_bars",
        "cdm_labels",
        "features",
        f"feature_vectors_{SET}",
    ):
        assert tables.get(name, 0) > 0, (name, tables)
