"""Channels chosen, ignored, kept beside the tape, or kept as evidence."""

import json

import numpy as np
import pyarrow as pa
import pytest

from feeds.captures import INSTRUMENTS
from feeds.test_blocks_and_ranges_cut_between_frames import START
from qf.schema import BAD, MARK, NULL_INT, PUBLISHED, TRADE
from qf.tape.ingest import ingest
from qf.tape.instruments import propose_trades
from qf.tape.source import FrameSource

MS = START // 10**6
PRINT = {"E": MS, "T": MS, "s": "BTCUSDT", "p": "60000.0", "q": "0.5", "m": False}


def wrapped(channel, data):
    return json.dumps({"stream": f"btcusdt@{channel}", "data": data}).encode()


def rows_of(table):
    """Return the rows with times as int64 ns (the standard library has no nanoseconds)."""
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.int64()))
    return table.to_pylist()


def trade(number):
    return wrapped("trade", {"e": "trade", "t": number, "X": "MARKET", **PRINT})


def agg_trade(number):
    return wrapped("aggTrade", {"e": "aggTrade", "a": number, "f": 1, "l": 1, **PRINT})


def tape_of(tmp_path, frames, trades=None):
    rows = [(START + i, frame) for i, frame in enumerate(frames)]
    source = FrameSource(
        "frames", "binance_usdm", {"f": [frame.decode("latin1") for frame in frames]},
        lambda: iter(rows), trades=trades,
    )  # fmt: skip
    return ingest([source], INSTRUMENTS["binance_usdm"], tmp_path)


@pytest.mark.parametrize(
    ("trades", "chosen"), [(None, "trade"), ("trade", "trade"), ("agg_trade", "agg_trade")]
)
def test_one_of_the_two_trade_channels_is_used_and_the_other_counted(tmp_path, trades, chosen):
    frames = [trade(1), agg_trade(1), trade(2), agg_trade(5), trade(3)]
    tape = tape_of(tmp_path, frames, trades)
    other = "agg_trade" if chosen == "trade" else "trade"
    assert tape.trades == chosen
    assert tape.accounts[other]["ignored"] == tape.accounts[other]["received"] > 0
    assert tape.accounts[chosen]["ignored"] == 0
    (block,) = tape.blocks(10)
    assert (block["kind"] == TRADE).all()
    assert tape.frames == 5  # what is ignored keeps its place in the order
    expected = [0, 2, 4] if chosen == "trade" else [1, 3]
    assert block["seq"].tolist() == expected
    rules = {} if chosen == "trade" else {"trade_gap": 1}
    assert tape.findings_by_rule() == rules


def test_a_bad_frame_of_the_channel_that_is_not_used_leaves_no_hole(tmp_path):
    bad = agg_trade(1).replace(b'"60000.0"', b'"-1"')
    torn = agg_trade(1).replace(b'"p"', b'"x"')
    tape = tape_of(tmp_path, [trade(1), bad, torn, trade(2)], "trade")
    (block,) = tape.blocks(10)
    assert block["kind"].tolist() == [TRADE, TRADE]
    assert tape.accounts["agg_trade"] == {"received": 2, "quarantined": 1, "ignored": 1}
    assert tape.findings_by_rule() == {"missing_field": 1}


def test_aggregated_trades_are_used_where_nothing_else_is_there(tmp_path):
    assert tape_of(tmp_path, [agg_trade(1), agg_trade(2)]).trades == "agg_trade"


def test_init_writes_down_trade_where_the_head_of_a_capture_has_it():
    frames = {"both": [agg_trade(1), trade(1)], "one": [agg_trade(1)], "none": [b"{}"]}
    sources = {
        name: FrameSource(name, "binance_usdm", {}, lambda rows=rows: ((START, f) for f in rows))
        for name, rows in frames.items()
    }
    found = {name: propose_trades(source, "BTCUSDT") for name, source in sources.items()}
    assert found == {"both": "trade", "one": "agg_trade", "none": None}


def test_marks_and_liquidations_have_their_tables(tmp_path):
    mark = {
        "e": "markPriceUpdate", "E": MS, "s": "BTCUSDT", "p": "60000.12345678", "P": "60001",
        "i": "59999.5", "r": "0.0001", "T": MS + 5,
    }  # fmt: skip
    order = {
        "s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "q": "0.014", "p": "9910", "ap": "9911",
        "X": "FILLED", "T": MS,
    }  # fmt: skip
    tape = tape_of(
        tmp_path,
        [
            wrapped("markPrice@1s", mark),
            wrapped("forceOrder", {"e": "forceOrder", "E": MS, "o": order}),
            wrapped("markPrice", {**mark, "p": "-1"}),
            wrapped("markPrice", {**mark, "r": "NaN"}),
            wrapped("forceOrder", {"e": "forceOrder", "E": MS, "o": {**order, "q": "x"}}),
            wrapped("markPrice", {**mark, "r": "", "T": 0}),
        ],
    )
    (funding,) = tape.table("funding")
    first, last = rows_of(funding)
    assert (first["mark_price"], first["settle_price"]) == (60000.12345678, 60001.0)
    assert first["funding_rate"] == 0.0001 and last["funding_rate"] is None
    assert first["next_funding_time"] == (MS + 5) * 10**6
    assert last["next_funding_time"] is None
    assert (first["venue"], first["symbol"], first["seq"]) == ("binance_usdm", "BTCUSDT", 0)
    (liquidations,) = tape.table("liquidations")
    (sold,) = rows_of(liquidations)
    assert (sold["direction"], sold["size"], sold["average_price"]) == (-1, 0.014, 9911.0)
    (block,) = tape.blocks(100)
    assert block["kind"].tolist() == [*[MARK] * 5, BAD, BAD, BAD, *[MARK] * 3]
    names = {number: name for name, number in PUBLISHED.items()}
    values = np.asarray(block["price"]).view(np.float64).tolist()
    told = [
        (names[side], value)
        for kind, side, value in zip(block["kind"], block["side"].tolist(), values, strict=True)
        if kind == MARK
    ]
    assert told[3:5] == [("funding_rate", 0.0001), ("forced_sell_volume", 0.014)]
    assert [name for name, _ in told[5:]] == ["mark_price", "index_price", "settle_price"]
    assert tape.findings_by_rule() == {
        "not_a_number": 1, "number_not_finite": 1, "price_not_positive": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("size", "kept"), [("-0.001", 0), ("0", 1)])
def test_a_size_that_is_published_is_not_negative(tmp_path, size, kept):
    order = {"s": "BTCUSDT", "S": "SELL", "q": size, "p": "9910", "ap": "9911", "T": MS}
    order |= {"o": "LIMIT", "X": "FILLED"}
    interest = {"symbol": "BTCUSDT", "openInterest": size, "time": MS}
    frames = [
        wrapped("forceOrder", {"e": "forceOrder", "E": MS, "o": order}),
        json.dumps(interest).encode(),
    ]
    tape = tape_of(tmp_path, frames)
    (block,) = tape.blocks(100)
    assert block["kind"].tolist() == ([MARK] if kept else [BAD]) * 2
    assert tape.findings_by_rule() == ({} if kept else {"size_negative": 2})


def test_a_refused_frame_is_kept_with_its_bytes_rules_and_kind(tmp_path):
    bad = wrapped("trade", {"e": "trade", "t": 2, "X": "MARKET", **PRINT, "p": "-1", "q": "0"})
    tape = tape_of(tmp_path, [trade(1), bad, b"\xff not json", trade(4)])
    kept = rows_of(tape.quarantine())
    assert {(row["seq"], row["stream"], row["rule"]) for row in kept} == {
        (1, "trade", "price_not_positive"),
        (2, "unreadable", "not_json"),
    }
    assert kept[0]["frame"] == bad and kept[-1]["frame"] == b"\xff not json"
    assert kept[0]["frame_bytes"] == len(bad)
    (block,) = tape.blocks(10)
    assert block["kind"].tolist() == [TRADE, BAD, BAD, TRADE]
    assert block["first_id"].tolist() == [1, TRADE, 0, 4]
    assert (block["event_time"][1:3] == NULL_INT).all()
    found = [(row["seq"], row["rule"]) for row in tape.findings().to_pylist()]
    assert found == [(1, "price_not_positive"), (2, "not_json"), (3, "trade_gap")]


def test_frames_of_other_symbols_are_no_part_of_the_tape(tmp_path):
    other = trade(1).replace(b"btcusdt", b"ethusdt").replace(b"BTCUSDT", b"ETHUSDT")
    broken = other.replace(b'"60000.0"', b"null")
    tape = tape_of(tmp_path, [other, trade(1), broken, trade(2)])
    assert (tape.frames, tape.manifest["other_symbols"]) == (2, 2)
    assert tape.findings_by_rule() == {}
