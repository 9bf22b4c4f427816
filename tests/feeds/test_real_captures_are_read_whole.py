"""The three real captures: every frame counted, none refused, every integer exact."""

import json
from decimal import Decimal

import numpy as np
import pytest

from feeds.captures import INSTRUMENTS, VENUES, lines, needs_data, source, unit
from qf.clock import UNIT_NS
from qf.schema import BBO, BIT, DEPTH, MARK, NULL_INT, SNAPSHOT, TRADE
from qf.tape.ingest import ingest

pytestmark = needs_data

COUNTS = {
    "binance_spot": {"trade": 19_904, "depth": 6_495, "bbo": 73_174, "snapshot": 1},
    "binance_usdm": {"trade": 12_935, "depth": 16_110, "bbo": 44_205, "snapshot": 1, "mark": 514},
    "binance_coinm": {"trade": 5_235, "depth": 44_795, "bbo": 48_355, "snapshot": 1},
}


@pytest.fixture(scope="module", params=VENUES)
def tape(request, tmp_path_factory):
    cache = tmp_path_factory.mktemp(request.param)
    return ingest([source(request.param)], INSTRUMENTS[request.param], cache)


@pytest.fixture(scope="module")
def columns(tape):
    (block,) = tape.blocks(tape.rows)
    return block


def test_every_frame_is_received_and_none_is_refused(tape):
    venue = tape.instrument.venue
    expected = {
        stream: {"received": count, "quarantined": 0, "ignored": 0}
        for stream, count in COUNTS[venue].items()
    }
    assert tape.accounts == dict(sorted(expected.items()))
    assert tape.frames == sum(COUNTS[venue].values()) == len(lines(venue))


def test_no_id_skips_and_nothing_else_is_found(tape):
    assert tape.findings_by_rule() == {}
    assert tape.quarantine().num_rows == 0


def test_seq_is_the_ordinal_of_the_line(tape, columns):
    ends = np.flatnonzero(columns["last_row"])
    assert (columns["seq"][ends] == np.arange(tape.frames)).all()
    assert (np.diff(columns["seq"]) >= 0).all()


def test_receive_times_are_the_lines_own_and_never_run_back(tape, columns):
    venue = tape.instrument.venue
    ends = np.flatnonzero(columns["last_row"])
    scale = UNIT_NS[unit(venue)]
    own = [int(line.partition(b" ")[0]) * scale for line in lines(venue)]
    assert columns["processed_time"][ends].tolist() == own
    assert (np.diff(columns["processed_time"]) >= 0).all()
    assert (tape.first_time, tape.last_time) == (own[0], own[-1])


def test_every_price_and_size_is_the_frames_decimal_exactly(tape, columns):
    """The oracle is the standard library's json and Decimal, frame by frame."""
    instrument = tape.instrument
    tick, lot = Decimal(instrument.tick_size), Decimal(instrument.lot_size)
    starts = np.concatenate(([0], np.flatnonzero(columns["last_row"]) + 1))
    prices, sizes, sides = (columns[name].tolist() for name in ("price", "size", "side"))
    for seq in range(0, tape.frames, 7):
        message = json.loads(lines(instrument.venue)[seq].partition(b" ")[2])
        expected = list(_levels(message))
        low, high = starts[seq], starts[seq + 1]
        data = message.get("data", message)
        if data.get("e") == "markPriceUpdate":
            told = np.array(prices[low:high]).view(np.float64).tolist()
            assert told == [float(data[name]) for name in "piPr"]
            assert sides[low:high] == [1, 2, 3, 4]
            continue
        if not expected:  # an empty difference
            assert (prices[low:high], sides[low:high]) == ([0], [0])
            continue
        assert sides[low:high] == [side for side, _, _ in expected]
        assert [p * tick for p in prices[low:high]] == [Decimal(p) for _, p, _ in expected]
        assert [s * lot for s in sizes[low:high]] == [Decimal(s) for _, _, s in expected]


def _levels(message):
    data = message.get("data", message)
    if "lastUpdateId" in data:
        yield from ((1, *level) for level in data["bids"])
        yield from ((-1, *level) for level in data["asks"])
    elif isinstance(data.get("b"), list):
        yield from ((1, *level) for level in data["b"])
        yield from ((-1, *level) for level in data["a"])
    elif "B" in data:
        yield from ((1, data["b"], data["B"]), (-1, data["a"], data["A"]))
    elif data["e"] == "trade":
        yield (-1 if data["m"] else 1, data["p"], data["q"])


def test_venue_times_are_those_of_the_decision(tape, columns):
    """T for trades and futures, E for spot depth, none for spot quotes and snapshots."""
    spot = tape.instrument.venue == "binance_spot"
    for kind in (TRADE, DEPTH, SNAPSHOT, BBO):
        rows = columns["kind"] == kind
        times = columns["venue_time"][rows]
        if spot and kind in (BBO, SNAPSHOT):
            assert (times == NULL_INT).all()
        else:
            assert (times == columns["event_time"][rows]).all()
            assert (times > 0).all()
    chained = columns["prev_id"][columns["kind"] == DEPTH] != NULL_INT
    assert chained.all() != spot


def test_only_the_insurance_fund_print_is_no_market_print(tape, columns):
    rows = np.flatnonzero(columns["flags"] & BIT["non_market"])
    if tape.instrument.venue != "binance_usdm":
        assert len(rows) == 0
        return
    assert len(rows) == 1
    line = lines("binance_usdm")[columns["seq"][rows[0]]]
    assert json.loads(line.partition(b" ")[2])["data"]["X"] == "INSURANCE_FUND"


def test_value_is_price_times_size_or_contracts_times_their_value(tape, columns):
    instrument = tape.instrument
    trades = columns["kind"] == TRADE
    ticks, lots = columns["price"][trades], columns["size"][trades]
    units = ticks * lots if instrument.value_from_price else lots
    num, den = instrument.value_scale
    value = units * num / den
    size = lots * instrument.size_scale[0] / instrument.size_scale[1]
    if instrument.asset_type == "inverse":
        assert (value == size * 100).all()  # contracts of 100 USD
    else:
        price = ticks * instrument.price_scale[0] / instrument.price_scale[1]
        np.testing.assert_allclose(value, price * size, rtol=1e-14)


def test_tables_hold_what_was_published(tape, columns):
    counted = {
        name: sum(batch.num_rows for batch in tape.table(name))
        for name in ("trades", "lob_incremental", "bbo", "funding", "liquidations")
    }
    streams = COUNTS[tape.instrument.venue]
    levels = np.isin(columns["kind"], (DEPTH, SNAPSHOT)) & (columns["side"] != 0)
    assert counted == {
        "trades": streams["trade"],
        "lob_incremental": int(levels.sum()),
        "bbo": streams["bbo"],
        "funding": streams.get("mark", 0),
        "liquidations": 0,
    }
    if tape.instrument.venue == "binance_spot":
        assert counted["lob_incremental"] == 298_111 + 2_000


def test_the_funding_rate_before_midnight_is_the_settled_one(tape):
    if tape.instrument.venue != "binance_usdm":
        assert not list(tape.table("funding"))
        return
    (funding,) = tape.table("funding")
    rows = funding.to_pylist()
    last = [row for row in rows if row["next_funding_time"] > row["event_time"]]
    before = [row for row in last if row["event_time"].isoformat() < "2023-04-05T00:00:00"]
    assert before[-1]["funding_rate"] == pytest.approx(2.76e-05, rel=5e-3)
    marks = np.count_nonzero(next(tape.blocks(tape.rows))["kind"] == MARK)
    assert marks == 4 * len(rows)  # a row per value
