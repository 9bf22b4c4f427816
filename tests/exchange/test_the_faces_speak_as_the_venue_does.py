"""Frames and answers of both faces: read by our mappers, chained by ids, true to the book."""

import itertools
import json

import numpy as np
import pytest
from tests.book.programs import track_plan

from exchange.case import VENUES, Session
from qf.feeds.record import Quarantine
from qf.program import Program
from qf.schema import TAPE
from qf.tape.ingest import ingest
from qf.tape.source import FrameSource
from qf.testing.market import SimulatedFeed

EVERY = {
    "binance_spot": ["trade", "aggTrade", "depth", "depth@100ms", "depth5", "depth20@100ms",
                     "bookTicker", "kline_1s", "kline_1m"],
    "binance_usdm": ["trade", "aggTrade", "depth@0ms", "depth@500ms", "depth10@100ms",
                     "bookTicker", "kline_1m", "markPrice", "markPrice@1s"],
    "binance_coinm": ["trade", "aggTrade", "depth@0ms", "depth@500ms", "depth20@100ms",
                      "bookTicker", "kline_1m", "markPrice@1s"],
}  # fmt: skip


@pytest.fixture(scope="module", params=VENUES)
def heard(request):
    """Ten minutes of every stream of a symbol."""
    session = Session(request.param)
    names = [f"btcusdt@{channel}" for channel in EVERY[request.param]]
    return session.run(600, session.listen(names))


def by_stream(session):
    found = {}
    for _, frame in session.frames:
        message = json.loads(frame)
        found.setdefault(message["stream"].partition("@")[2], []).append(message["data"])
    return found


def test_every_stream_speaks_and_no_frame_is_quarantined(heard):
    venue = heard.settings.venue
    assert set(by_stream(heard)) == set(EVERY[venue])
    for at, frame in heard.frames:
        assert heard.mapper.parse(frame, at)


def test_differences_chain_at_every_speed(heard):
    futures = heard.exchange.face.futures
    for name, messages in by_stream(heard).items():
        if not name.startswith("depth") or name[5:6].isdigit():
            continue
        for before, after in itertools.pairwise(messages):
            if futures:
                assert after["pu"] == before["u"] and after["U"] > before["u"]
            else:
                assert after["U"] == before["u"] + 1
        assert len(messages) > 100


def test_a_slow_stream_says_the_same_changes_as_a_fast_one(heard):
    found = by_stream(heard)
    fast, slow = (
        ("depth@0ms", "depth@500ms") if heard.exchange.face.futures else ("depth@100ms", "depth")
    )
    for message in found[slow][1:50]:
        pieces = [m for m in found[fast] if message["U"] <= m["u"] <= message["u"]]
        bids, asks = {}, {}
        for piece in pieces:
            bids |= dict(piece["b"])
            asks |= dict(piece["a"])
        assert pieces and dict(message["b"]) == bids and dict(message["a"]) == asks


def test_partial_books_are_the_top_of_the_true_book(heard):
    name = next(name for name in EVERY[heard.settings.venue] if name[5:7] in ("20", "10"))
    frames = heard.exchange.listings["BTCUSDT"].frames
    messages = by_stream(heard)[name]
    for message in messages[::20]:
        update_id = message.get("lastUpdateId", message.get("u"))
        book = heard.exchange.true_book("BTCUSDT", update_id)
        bids, asks = message.get("bids", message.get("b")), message.get("asks", message.get("a"))
        best = sorted(book.bids.items(), reverse=True)[: len(bids)]
        assert bids == [[frames.price(price), frames.size(size)] for price, size in best]
        best = sorted(book.asks.items())[: len(asks)]
        assert asks == [[frames.price(price), frames.size(size)] for price, size in best]
    assert len(messages) > 100


def test_trades_have_no_hole_and_aggregates_hold_every_one_of_them(heard):
    found = by_stream(heard)
    ids = [trade["t"] for trade in found["trade"]]
    assert ids == list(range(ids[0], ids[0] + len(ids))) and len(ids) > 100
    held = [t for a in found["aggTrade"] for t in range(a["f"], a["l"] + 1)]
    assert held == ids
    sizes = {trade["t"]: float(trade["q"]) for trade in found["trade"]}
    for each in found["aggTrade"]:
        whole = sum(sizes[t] for t in range(each["f"], each["l"] + 1))
        assert float(each["q"]) == pytest.approx(whole)


def test_closed_candles_hold_every_trade(heard):
    found = by_stream(heard)
    prices = {trade["t"]: float(trade["p"]) for trade in found["trade"]}
    closed = [m["k"] for m in found["kline_1m"] if m["k"]["x"]]
    for candle in closed:
        inside = [prices[t] for t in range(candle["f"], candle["L"] + 1)]
        assert candle["n"] == len(inside)
        shown = [float(candle[name]) for name in "ohlc"]
        assert shown == [inside[0], max(inside), min(inside), inside[-1]]
    assert len(closed) >= 8


@pytest.mark.parametrize("interval", ["1m", "5m"])
def test_candles_over_rest_are_those_of_the_trades(heard, interval):
    tape = heard.exchange.trades("BTCUSDT")
    frames = heard.exchange.listings["BTCUSDT"].frames
    path = f"{heard.prefix}/klines"
    asked = {"symbol": "BTCUSDT", "interval": interval, "limit": "20"}
    rows = json.loads(heard.exchange.get(path, asked).body)
    length = rows[0][6] - rows[0][0] + 1
    assert [row[0] for row in rows] == list(range(rows[0][0], rows[-1][0] + 1, length))
    every = tape.trades(0, len(tape))
    for row in rows:
        inside = [trade for trade in every if row[0] <= trade.time_ms <= row[6]]
        assert row[8] == len(inside) > 0
        prices = [trade.price for trade in inside]
        shown = [prices[0], max(prices), min(prices), prices[-1]]
        assert row[1:5] == [frames.price(price) for price in shown]
        assert row[5] == frames.size(sum(trade.size for trade in inside))
        assert row[9] == frames.size(sum(trade.size for trade in inside if trade.sign > 0))
    assert sum(row[8] for row in rows) == len(every)
    first = {**asked, "startTime": str(rows[1][0]), "limit": "2"}
    assert json.loads(heard.exchange.get(path, first).body) == rows[1:3]


def test_closed_candles_are_the_same_over_both_ways(heard):
    asked = {"symbol": "BTCUSDT", "interval": "1m", "limit": "500"}
    rows = json.loads(heard.exchange.get(f"{heard.prefix}/klines", asked).body)
    listed = {row[0]: row for row in rows}
    closed = [m["k"] for m in by_stream(heard)["kline_1m"] if m["k"]["x"]][1:]
    for candle in closed:  # the first began before anybody listened
        told = [candle[name] for name in "tohlcvTqnVQB"]
        assert told == listed[candle["t"]]
    assert len(closed) >= 7


@pytest.mark.parametrize("venue", VENUES)
def test_our_own_book_from_differences_and_a_rest_snapshot_is_the_true_one(venue, tmp_path):
    depth, session = 20, Session(venue, seed=8, intensity=10.0)

    async def ask():
        await session.clock.sleep(3.0)
        answer = await session.get("depth", symbol="BTCUSDT", limit=1000)
        session.frames.append((session.clock.monotonic_ns(), answer.body))

    session.run(120, session.listen(), ask())
    start = session.settings.start_ns
    arrivals = [(start + at, frame) for at, frame in session.frames]
    source = FrameSource("exchange", venue, {"seed": 8}, lambda: iter(arrivals))
    market = session.exchange.listings["BTCUSDT"].settings
    tape = ingest([source], SimulatedFeed(market, 2).instrument(), tmp_path)
    assert {stream["quarantined"] for stream in tape.accounts.values()} == {0}
    blocks = list(tape.blocks(1 << 20))
    columns = {f.name: np.concatenate([b[f.name] for b in blocks]) for f in TAPE}
    rule = "futures" if session.exchange.face.futures else "spot"
    made = Program(track_plan(rule, depth), 4_096).push(columns)["snapshot"]
    compared = 0  # prices and sizes are in ticks and lots here
    for row in np.flatnonzero(made["quality"] == 0):
        book = session.exchange.true_book("BTCUSDT", int(made["last_id"][row]))
        sides = {"bid": sorted(book.bids.items(), reverse=True), "ask": sorted(book.asks.items())}
        for side, levels in sides.items():
            shown = [
                (int(made[f"{side}_price_{i}"][row]), int(made[f"{side}_size_{i}"][row]))
                for i in range(depth)
            ]
            assert shown == levels[:depth]
        compared += 1
    assert compared > 800


@pytest.mark.parametrize("venue", VENUES)
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(venue):
    def heard(seed):
        session = Session(venue, seed=seed)
        return session.run(60, session.listen()).frames

    assert heard(1) == heard(1) != heard(2)


def test_symbols_are_markets_of_their_own_and_who_listens_changes_nothing():
    both = Session(symbols=("BTCUSDT", "ETHUSDT"))
    both.run(60, both.listen())
    one = Session(symbols=("BTCUSDT",))
    one.run(60, one.listen())
    ours = [json.loads(f) for _, f in both.frames if b'"s":"BTCUSDT"' in f]
    assert ours == [json.loads(frame) for _, frame in one.frames] and len(both.frames) > len(ours)


def test_no_face_raises_anything_but_a_quarantine_of_what_a_fault_spoiled():
    for venue in VENUES:
        session = Session(venue)
        session.run(20, session.listen())
        for at, frame in session.frames:
            try:
                session.mapper.parse(frame[: len(frame) // 2], at)
            except Quarantine as refused:
                assert refused.rules
