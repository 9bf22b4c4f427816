"""LOBSTER, books as Parquet, flattened CSV, session recordings: the facts known of each."""

import json

import numpy as np
import pytest

from feeds.captures import DATA, needs_data
from qf.errors import DefinitionError
from qf.schema import BAD, BIT, DEPTH, NULL_INT, SNAPSHOT, TRADE
from qf.tape.ingest import ingest, inspect
from qf.tape.instruments import Instrument, propose
from qf.tape.provider import open_source

AMZN = Instrument("lobster", "AMZN", "AMZN", "USD", "spot", "0.0001", "1")
BTC = ("BTCUSDT", "BTC", "USDT")
TRX = Instrument("binance_spot", "TRXUSDT", "TRX", "USDT", "spot", "0.0001", "0.1")


def opened(symbol="BTCUSDT", **settings):
    return open_source({"name": "archive", "kind": "files", **settings}, DATA, symbol)


@needs_data
def test_visible_executions_are_at_the_prior_best_of_the_signed_side(tmp_path):
    tape = ingest([opened("AMZN", format="lobster", path="lobster/*AMZN*.zip")], AMZN, tmp_path)
    assert tape.findings_by_rule() == {}
    assert (tape.ordering, tape.continuity) == ("event", "none")
    (block,) = tape.blocks(tape.rows)
    assert tape.accounts["snapshot"]["received"] == 57_515
    names = ("seq", "kind", "side", "price", "flags")
    best = {1: NULL_INT, -1: NULL_INT}
    at_best = visible = hidden = 0
    book_of = -1
    for seq, kind, side, price, flags in zip(*(block[n].tolist() for n in names), strict=True):
        if kind == SNAPSHOT:
            if seq != book_of:
                best, book_of = {1: NULL_INT, -1: NULL_INT}, seq
            best[side] = price
        elif flags & BIT["non_market"]:
            hidden += 1
        else:
            visible += 1
            at_best += price == best[-side]  # a buy trades at the best ask
    assert (visible, at_best) == (8_974, 8_974)
    assert visible + hidden == np.count_nonzero(block["kind"] == TRADE)


@needs_data
def test_lobster_times_are_exact_and_on_the_exchanges_day(tmp_path):
    source = opened("AMZN", format="lobster", path="lobster/*AMZN*.zip")
    first = next(source.arrivals())
    # 09:30:00.017459617 in New York on 2012-06-21 is 13:30 UTC
    assert first[0] == 1_340_285_400_017_459_617
    assert source.ordering == "event"
    assert propose(source, "AMZN").tick_size in ("0.001", "0.0001", "0.01")


BOOKS = {
    "spot": (10_215, 0, Instrument("binance_spot", *BTC, "spot", "0.01", "0.00001")),
    "fut": (11_947, 19, Instrument("binance_usdm", *BTC, "linear", "0.1", "0.001")),
}


@needs_data
@pytest.mark.parametrize("market", BOOKS)
def test_snapshots_and_trades_of_an_archive_merge(market, tmp_path):
    trades, gaps, instrument = BOOKS[market]
    path = f"binance_snapshots/*btc_{market}*.parquet"
    source = opened(format="binance_snapshots", venue=instrument.venue, path=path)
    tape = ingest([source], instrument, tmp_path)
    assert tape.accounts["snapshot"] == {"received": 2_559, "quarantined": 0, "ignored": 0}
    assert tape.accounts["trade"]["received"] == trades
    expected = {"id_repeat": 2, "trade_gap": gaps}
    assert tape.findings_by_rule() == {rule: n for rule, n in expected.items() if n}
    first = next(tape.blocks(2_000))
    book = first["kind"] == SNAPSHOT
    assert (first["first_id"][book] == NULL_INT).all()  # nothing may be chained to it
    assert (np.diff(first["processed_time"]) >= 0).all()


TWINS = {
    "depth_positive": {(2_832, "time_jump")},
    "depth_negative": {
        (0, "event_time_zero"),
        (0, "price_not_positive"),
        (3, "id_order"),
        (3, "id_gap"),
        (2_832, "time_jump"),
    },
    "trade_positive": set(),
    "trade_negative": {(2, "id_repeat"), (3, "trade_gap"), (9_999, "time_jump")},
}


@needs_data
@pytest.mark.parametrize("name", TWINS)
def test_the_defect_twins_show_their_known_defects_and_no_others(name, tmp_path):
    path = f"defects/spot_trxusdt_{name}.csv.gz"
    source = opened("TRXUSDT", format="binance_csv", venue="binance_spot", path=path)
    tape = ingest([source], TRX, tmp_path)
    findings = tape.findings().to_pylist()
    assert {(row["seq"], row["rule"]) for row in findings} == TWINS[name]
    assert {row["stream"] for row in findings} <= {name.partition("_")[0]}
    kept = tape.quarantine().to_pylist()
    assert all(row["frame"] for row in kept)
    (block,) = tape.blocks(tape.rows)
    assert np.count_nonzero(block["kind"] == BAD) == len({row["seq"] for row in kept})


@needs_data
@pytest.mark.parametrize(
    ("name", "venue", "symbols"),
    [
        ("BINANCE", "binance_spot", ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")),
        ("BINANCE_FUTURES", "binance_usdm", ("SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT")),
    ],
)
def test_recordings_hold_the_expected_counts_per_channel(name, venue, symbols, tmp_path):
    """A book update counts from its snapshot on, as the recorder's own client counted it."""
    expected = json.loads((DATA / "venue_captures" / "expected_counts.json").read_text())[name]
    found = dict.fromkeys(("candles", "l2_book", "ticker", "trades"), 0)
    for symbol in symbols:
        settings = {
            "name": "recording", "kind": "capture", "venue": venue, "time_unit": "s",
            "path": f"venue_captures/{name}.jsonl.zst",
        }  # fmt: skip
        source = open_source(settings, DATA, symbol)
        tape = ingest([source], propose(source, symbol), tmp_path)
        assert tape.findings_by_rule() == {}
        accounts = tape.accounts
        assert tape.trades == ("agg_trade" if "agg_trade" in accounts else "trade")
        found["candles"] += accounts.get("other", {"ignored": 0})["ignored"]
        found["ticker"] += accounts.get("bbo", {"received": 0})["received"]
        found["trades"] += accounts.get("agg_trade", {"received": 0})["received"]
        (block,) = tape.blocks(tape.rows)
        ends = block["last_row"] == 1
        book = ends & (block["kind"] == SNAPSHOT)
        (snapshot,) = block["last_id"][book]
        # Spot drops u <= lastUpdateId, futures only u < lastUpdateId.
        first = snapshot + 1 if venue == "binance_spot" else snapshot
        later = ends & (block["kind"] == DEPTH) & (block["last_id"] >= first)
        found["l2_book"] += 1 + np.count_nonzero(later)
    assert found == expected


CSV = "when,at,id,px,qty,taker\n"


def mapped(tmp_path, rows, **settings):
    (tmp_path / "prints.csv").write_text(CSV + "".join(rows))
    table = {
        "path": "prints.csv",
        "stream": "trade",
        "time_unit": "ms",
        "fields": {
            "processed_time": "when", "event_time": "at", "trade_id": "id",
            "price": "px", "size": "qty", "direction": "taker",
        },
        "values": {"direction": {"B": 1, "S": -1}},
    }  # fmt: skip
    given = {
        "name": "mine", "kind": "files", "venue": "binance_spot", "tables": [table], **settings
    }  # fmt: skip
    return open_source(given, tmp_path, "XY")


XY = Instrument("binance_spot", "XY", "X", "Y", "spot", "0.1", "0.01")


def row(i, at=None, side="B", price="10.5"):
    time = 1_700_000_000_000 + i
    return f"{time},{time if at is None else at},{i},{price},0.25,{side}\n"


def test_a_declared_mapping_reads_a_users_table(tmp_path):
    rows = [row(1), row(2, side="S"), row(3, price='"1,5"'), row(4, side="?"), "1,2\n", row(6)]
    tape = ingest([mapped(tmp_path, rows)], XY, tmp_path / "cache")
    (block,) = tape.blocks(10)
    good = block["kind"] == TRADE
    assert block["side"][good].tolist() == [1, -1, 1]
    assert block["price"][good].tolist() == [105] * 3
    found = [(r["seq"], r["rule"]) for r in tape.findings().to_pylist()]
    assert found == [
        (2, "not_a_number"), (3, "wrong_type"), (4, "missing_field"), (5, "trade_gap"),
    ]  # fmt: skip


def test_event_ordering_sorts_by_time_then_id_and_keeps_ties(tmp_path):
    times = [5, 3, 3, 9, 1]
    rows = [row(i, at=1_700_000_000_000 + at) for i, at in enumerate(times)]
    tape = ingest([mapped(tmp_path, rows, ordering="event")], XY, tmp_path / "cache")
    (block,) = tape.blocks(10)
    assert block["first_id"].tolist() == [4, 1, 2, 0, 3]
    assert (block["processed_time"] == block["event_time"]).all()
    assert tape.ordering == "event"


def test_a_wrong_unit_in_a_table_names_the_right_one(tmp_path):
    with pytest.raises(DefinitionError, match=r"us"):
        source = mapped(tmp_path, [f"{1_700_000_000_000_000},0,1,1,1,B\n"])
        inspect([source], XY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "capturing"}, "capture"),
        ({"ordering": "random"}, "arrival, event"),
        ({"venue": "binance_spo"}, "binance_spot"),
        ({"tabels": []}, "tables"),
        ({"tables": []}, "a list"),
        ({"tables": [{"stream": "trade", "time_unit": "ms", "fields": {}}]}, "trade_id"),
        ({"tables": [{"stream": "trades"}]}, "trade"),
        ({"format": "binance_snapshot", "path": "prints.csv"}, "binance_snapshots"),
        ({"format": "binance_csv", "path": "prints.csv"}, "no file matches"),
        ({"format": "binance_csv", "path": "nothing.csv"}, "no file matches"),
    ],
)
def test_a_mistake_in_a_provider_is_named_with_what_is_known(tmp_path, change, message):
    with pytest.raises(DefinitionError) as caught:
        mapped(tmp_path, [row(1)], **change)
    assert message in str(caught.value)


def test_a_column_that_is_not_there_is_named(tmp_path):
    source = mapped(tmp_path, [row(1)])
    path = tmp_path / "prints.csv"
    path.write_text(path.read_text().replace("qty", "quantity"))
    with pytest.raises(DefinitionError, match="'qty'"):
        inspect([source], XY)
