"""The options of state_engine.enrich do what they say, on the recorded hours."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from qf.engines.columns import add_state
from qf.engines.sources import open_tape
from qf.program import Program
from qf.schema import BIT

READ = ("seq", "price", "size", "side", "mid", "book_age_ms", "quality")


@pytest.fixture(scope="module")
def ticks(ran):
    """Give a function: (kind, options of enrich) -> the columns of the tick clock."""

    def read(kind, **options):
        project = ran(kind).project
        enrich = dataclasses.replace(project.enrich, **options)
        file = open_tape(project, project.symbols[0])
        variant = dataclasses.replace(project, enrich=enrich, bars=())
        state = add_state(variant, file.instrument, file.continuity, 5)
        for name in READ:
            state.plan.read(name, state.tick[name])
        (columns,) = file.blocks(file.rows)
        return Program(state.plan).push(columns)["tick"]

    return read


def test_prints_outside_the_book_are_on_the_tick_clock_only_where_asked(ticks):
    without, whole = ticks("usdm"), ticks("usdm", include_non_market=True)
    assert (len(without["seq"]), len(whole["seq"])) == (12_934, 12_935)
    (extra,) = set(whole["seq"].tolist()) - set(without["seq"].tolist())
    place = whole["seq"].tolist().index(extra)
    assert whole["quality"][place] & BIT["non_market"]
    assert abs(whole["price"][place] / whole["mid"][place] - 1) > 0.015
    rest = np.delete(whole["price"], place)
    assert np.array_equal(rest, without["price"])


def test_a_lag_shows_quotes_later_and_never_earlier(ticks):
    ages, known = [], []
    for lag in (0.0, 50.0, 1_000.0):
        tick = ticks("spot", quote_asof="arrival", quote_lag_ms=lag)
        ages.append(float(np.nanmedian(tick["book_age_ms"])))
        known.append(int(np.count_nonzero(~np.isnan(tick["mid"]))))
    print("median age of the book in ms:", ages, "trades with a mid:", known)
    assert ages[0] < ages[1] < ages[2]
    assert ages[1] >= 50.0 and ages[2] >= 1_000.0
    assert known[0] >= known[1] >= known[2] > 19_000


def test_a_book_older_than_its_time_to_live_is_stale_and_null(ticks):
    tick = ticks("spot", book_ttl_ms=20.0)
    stale = tick["quality"] & BIT["stale"] != 0
    assert 0 < np.count_nonzero(stale) < len(stale)
    assert np.isnan(tick["mid"][stale]).all()
    usable = ~np.isnan(tick["mid"])
    assert (tick["book_age_ms"][usable] <= 20.0).all()


def test_levels_outside_the_snapshot_are_flagged_while_the_best_stays(ran):
    rows = ran("spot").reader.frame("cdm_trade_enriched")
    unknown = rows.filter(pl.col("quality") & BIT["unknown_depth"] != 0)
    print(f"spot: {len(unknown) / len(rows):.1%} of the rows have a level that is unknown")
    assert 0.15 < len(unknown) / len(rows) < 0.30
    assert unknown["mid"].null_count() == 0
    assert rows.filter(pl.col("quality") & BIT["no_venue_time"] != 0).height > 0
