"""What must hold on the recorded hour of each venue: the book, the sides, the bars, the sums."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from qf.engines.columns import add_state
from qf.engines.sources import open_tape
from qf.op import find
from qf.program import Program
from qf.schema import BBO, BIT, DEPTH, TRADE
from tests.acceptance.projects import KINDS
from tests.book.programs import enrich_plan, track_plan

TRADES = {"spot": 19_904, "usdm": 12_935, "coinm": 5_235}
EQUAL_QUOTES = {"spot": 1_072, "usdm": 1_565, "coinm": 1_885}
RECOVERED = {"spot": 0.993, "usdm": 0.994, "coinm": 0.999}
BARS = {
    "spot": {"dollar_k_50000": 474, "imbalance_k_10": 4, "tick_k_50": 398, "run_w_10": 1_428},
    "usdm": {"dollar_k_50000": 538, "imbalance_k_10": 43, "tick_k_50": 258, "run_w_10": 861},
    "coinm": {"dollar_k_50000": 284, "imbalance_k_10": 2_280, "tick_k_50": 104, "run_w_10": 359},
}
every = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="session")
def tape(ran):
    """Give a function: kind -> (tape file, its columns)."""

    def read(kind):
        each = ran(kind)
        file = open_tape(each.project, each.project.symbols[0])
        (columns,) = file.blocks(file.rows)
        return file, columns

    return read


@every
def test_every_frame_is_accounted_for_and_no_id_is_missing(ran, kind):
    (symbol,) = ran(kind).result.symbols
    assert symbol.accounts["trade"]["received"] == TRADES[kind]
    for stream, account in symbol.accounts.items():
        rest = sum(account.get(n, 0) for n in ("superseded", "duplicate", "quarantined"))
        rest += account.get("conflated", 0) + account.get("ignored", 0)
        assert account["received"] == account["applied"] + rest, stream
        assert account.get("holes", 0) == 0, stream
        assert account["quarantined"] == 0, stream


@every
def test_the_book_equals_the_ticker_wherever_the_ids_are_equal(tape, kind):
    file, columns = tape(kind)
    program = Program(track_plan(file.continuity), 4096)
    book = program.push(columns)["book"]
    assert not np.any(book["quality"] & BIT["crossed"])
    depth = book["kind"] == DEPTH
    names = ("ladder_bid_ticks", "ladder_bid_lots", "ladder_ask_ticks", "ladder_ask_lots")
    best = dict(
        zip(
            book["last_id"][depth].tolist(),
            zip(*(book[name][depth].tolist() for name in names), strict=True),
            strict=True,
        )
    )
    ticker = columns["kind"] == BBO
    ids = columns["first_id"][ticker][::2].tolist()
    price, size = columns["price"][ticker], columns["size"][ticker]
    quotes = zip(price[::2], size[::2], price[1::2], size[1::2], strict=True)
    compared = equal = 0
    for update_id, quote in zip(ids, quotes, strict=True):
        if update_id in best:
            compared += 1
            equal += best[update_id] == tuple(map(int, quote))
    print(f"{kind}: best quotes equal to the ticker {equal:,} of {compared:,}")
    assert (equal, compared) == (EQUAL_QUOTES[kind], EQUAL_QUOTES[kind])


@every
def test_the_strict_pairing_recovers_the_hidden_aggressor(tape, kind):
    file, columns = tape(kind)
    trades = columns["kind"] == TRADE
    hidden = dict(columns)
    hidden["side"] = np.where(trades, 0, columns["side"])
    program = Program(enrich_plan(file.continuity), 4096)
    tick = program.push(hidden)["tick"]
    truth = dict(
        zip(columns["first_id"][trades].tolist(), columns["side"][trades].tolist(), strict=True)
    )
    usable = ~np.isnan(tick["mid"])
    side = np.array([truth[i] for i in tick["trade_id"].tolist()])
    off_mid = tick["price"] != tick["mid"]
    right = np.sign(tick["price"] - tick["mid"]) == side
    share = float(np.mean(right[usable]))
    print(
        f"{kind}: sides recovered {int(right[usable].sum()):,} "
        f"of {int(usable.sum()):,}: {share:.3%}"
    )
    assert share >= RECOVERED[kind]
    # Lee-Ready with the same quotes: at the mid the tick rule speaks, elsewhere the quote.
    known = usable & off_mid
    assert np.array_equal(tick["direction"][known], np.sign(tick["price"] - tick["mid"])[known])


def test_the_insurance_fund_print_is_flagged_and_in_no_bar(ran):
    reader = ran("usdm").reader
    enriched = reader.frame("cdm_trade_enriched")
    prints = enriched.filter(pl.col("quality") & BIT["non_market"] != 0)
    assert len(prints) == 1
    distance = abs(prints["price"][0] / prints["mid"][0] - 1) * 1e4
    assert distance > 150  # 204 bps from the market
    bars = reader.bars("tick_k_50").collect()
    low, high = bars["low"].min(), bars["high"].max()
    assert not low <= prints["price"][0] <= high
    assert len(enriched) == TRADES["usdm"]


def test_an_inverse_contract_counts_its_value_in_quote(ran):
    enriched = ran("coinm").reader.frame("cdm_trade_enriched")
    assert (enriched["value"] == enriched["size"] * 100.0).all()


@every
def test_every_clock_closes_the_known_number_of_bars(ran, kind):
    assert ran(kind).result.symbols[0].bars == BARS[kind]


@every
def test_bars_partition_the_tape_in_whole_lots(ran, tape, kind):
    each = ran(kind)
    file, columns = tape(kind)
    state = add_state(each.project, file.instrument, file.continuity, 5)
    for name in state.bars:
        state.plan.read("lots", state.bars[name]["volume_lots"])
        state.plan.read("first_row", state.bars[name]["first_row"])
        state.plan.read("close_row", state.bars[name]["close_row"])
        state.plan.read("count", state.bars[name]["trade_count"])
    state.plan.read("size_lots", state.tick["size_lots"])
    made = Program(state.plan, 2048).push(columns)
    lots = made["tick"]["size_lots"]
    for name in state.bars:
        bar = made[name]
        assert bar["first_row"][0] == 0
        assert np.array_equal(bar["first_row"][1:], bar["close_row"][:-1] + 1)
        assert np.array_equal(bar["count"], bar["close_row"] - bar["first_row"] + 1)
        closed = int(bar["close_row"][-1]) + 1
        assert int(bar["lots"].sum()) + int(lots[closed:].sum()) == int(lots.sum())
    assert find("fold", "bars").shape == "emit"
