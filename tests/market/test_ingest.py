"""The market's frames through the product's own mappers: nothing refused, every fault found."""

import pytest

from qf.errors import QuantflowError
from qf.schema import BIT
from qf.tape.ingest import ingest
from qf.testing.market import (
    FaultRates,
    Market,
    MarketSettings,
    SimulatedFeed,
    simulated_feed,
)

RATES = FaultRates(
    silence=20, burst=10, gap=60, trade_gap=60, duplicate=120, clock_step=0, non_market=40
)
RULES = {"gap": "id_gap", "trade_gap": "trade_gap", "duplicate": "id_repeat"}


@pytest.mark.parametrize("venue", ["binance_spot", "binance_usdm"])
def test_the_screen_finds_every_planted_fault_and_nothing_else(venue, tmp_path):
    feed = SimulatedFeed(MarketSettings(seed=11, venue=venue, intensity=10, faults=RATES), 15)
    tape = ingest([feed.source("simulated_market")], feed.instrument(), tmp_path)
    market = Market(feed.settings)
    frames = list(market.frames(15 * 60))
    assert tape.frames == len(frames)
    assert {stream["quarantined"] for stream in tape.accounts.values()} == {0}
    assert sum(stream["received"] for stream in tape.accounts.values()) == len(frames)
    found = tape.findings()
    pairs = set(zip(found["seq"].to_pylist(), found["rule"].to_pylist(), strict=True))
    planted = {(fault.frame, RULES[fault.kind]) for fault in market.faults if fault.kind in RULES}
    assert pairs == planted and len(planted) > 20
    prints = {fault.frame for fault in market.faults if fault.kind == "non_market"}
    flagged = set()
    for block in tape.blocks(100_000):
        flagged |= set(block["seq"][block["flags"] & BIT["non_market"] != 0].tolist())
    assert flagged == prints


def test_the_same_provider_options_are_the_same_tape_and_other_options_are_not(tmp_path):
    def key(seed):
        feed = SimulatedFeed(MarketSettings(seed=seed, intensity=5), 1)
        return ingest([feed.source("simulated_market")], feed.instrument(), tmp_path).key

    assert key(1) == key(1) != key(2)


def test_an_unknown_fault_is_refused_with_a_near_name():
    with pytest.raises(QuantflowError, match="silense") as caught:
        simulated_feed({"faults": {"silense": 2}}, "binance_spot", "BTCUSDT")
    assert caught.value.near == ("silence",)
