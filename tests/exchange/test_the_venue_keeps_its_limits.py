"""Weights, bans, lives of connections, subscriptions: as the venue publishes them."""

import itertools
import json

import pytest

from exchange.case import VENUES, Session, planned
from qf.exchange.streams import read_stream
from qf.seams import Closed


def ask(session, *requests):
    """Return the answers to (endpoint, parameters), one after the other."""

    async def all_of_them():
        for endpoint, params in requests:
            await session.get(endpoint, **params)

    session.run(20, all_of_them())
    return [answer for _, answer in session.answers]


def used(answer):
    return int(answer.headers["x-mbx-used-weight-1m"])


@pytest.mark.parametrize(
    ("venue", "weights"),
    [
        ("binance_spot", {5: 5, 100: 5, 500: 25, 1_000: 50, 5_000: 250}),
        ("binance_usdm", {5: 2, 50: 2, 100: 5, 500: 10, 1_000: 20}),
        ("binance_coinm", {5: 2, 50: 2, 100: 5, 500: 10, 1_000: 20}),
    ],
)
def test_a_snapshot_weighs_what_its_levels_cost(venue, weights):
    answers = ask(Session(venue), *(("depth", {"symbol": "BTCUSDT", "limit": n}) for n in weights))
    totals = [0, *map(used, answers)]
    spent = [after - before for before, after in itertools.pairwise(totals)]
    assert spent == list(weights.values())
    for limit, answer in zip(weights, answers, strict=True):
        assert answer.status == 200 and len(json.loads(answer.body)["bids"]) <= limit


@pytest.mark.parametrize("venue", VENUES)
def test_trades_come_by_id_without_a_hole(venue):
    session = Session(venue)
    session.run(600)
    session.exchange.advance(session.network.now_ns())
    tape = session.exchange.trades("BTCUSDT")
    first = tape.next_id - 50
    params = {"symbol": "BTCUSDT", "fromId": first, "limit": 20}
    answer = session.exchange.get(
        f"{session.prefix}/historicalTrades",
        {name: str(value) for name, value in params.items()},
        has_key=True,
    )
    rows = json.loads(answer.body)
    assert [row["id"] for row in rows] == list(range(first, first + 20))
    aggregates = json.loads(
        session.exchange.get(f"{session.prefix}/aggTrades", {"symbol": "BTCUSDT"}).body
    )
    assert [a["a"] for a in aggregates] == list(
        range(aggregates[0]["a"], aggregates[0]["a"] + len(aggregates))
    )
    assert all(a["l"] + 1 == b["f"] for a, b in itertools.pairwise(aggregates))


@pytest.mark.parametrize(
    ("venue", "weights"),
    [
        ("binance_spot", {1: 2, 1_000: 2}),
        ("binance_usdm", {99: 1, 100: 2, 500: 5, 1_000: 5, 1_500: 10}),
    ],
)
def test_candles_weigh_what_their_number_costs(venue, weights):
    asked = {"symbol": "BTCUSDT", "interval": "1m"}
    answers = ask(Session(venue), *(("klines", {**asked, "limit": n}) for n in weights))
    totals = [0, *map(used, answers)]
    assert [b - a for a, b in itertools.pairwise(totals)] == list(weights.values())
    assert json.loads(answers[0].body) == []  # nobody has traded yet


def test_old_futures_trades_ask_for_a_key_and_the_latest_do_not():
    params = {"symbol": "BTCUSDT"}
    answers = ask(Session("binance_usdm"), ("historicalTrades", params), ("trades", params))
    assert [answer.status for answer in answers] == [401, 200]
    assert ask(Session("binance_spot"), ("historicalTrades", params))[0].status == 200


@pytest.mark.parametrize("venue", VENUES)
def test_what_cannot_be_answered_is_refused_with_a_code(venue):
    wrong = [
        ("depth", {"symbol": "NOSUCH"}, -1121),
        ("depth", {}, -1102),
        ("depth", {"symbol": "BTCUSDT", "limit": 0}, -1130),
        ("trades", {"symbol": "BTCUSDT", "limit": "many"}, -1100),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("nothing", {}, -1100),
    ]
    answers = ask(Session(venue), *((endpoint, params) for endpoint, params, _ in wrong))
    for (_, _, code), answer in zip(wrong, answers, strict=True):
        assert answer.status in (400, 404) and json.loads(answer.body)["code"] == code


def test_too_much_weight_is_429_going_on_is_418_and_both_end():
    session = Session(weight_limit=100)

    async def insist():
        for _ in range(3):
            await session.get("depth", symbol="BTCUSDT", limit=1000)
        for _ in range(5):
            await session.clock.sleep(0.1)  # at once it may have left before the refusal came
            await session.get("ping")
        refused = session.answers[-1][1]
        await session.clock.sleep(float(refused.headers["retry-after"]) + 1)
        await session.get("ping")

    session.run(3_600, insist())
    statuses = [answer.status for _, answer in session.answers]
    assert statuses == [200, 200, 429, 429, 429, 429, 429, 418, 200]
    banned = session.answers[-2][1]
    assert int(banned.headers["retry-after"]) >= 119
    assert len(session.exchange.offences) == 5
    assert all("during a" in offence.what for offence in session.exchange.offences)


def test_what_was_on_its_way_when_the_refusal_was_said_is_no_offence():
    session = Session(weight_limit=100)

    async def overlap():
        for _ in range(3):
            await session.get("depth", symbol="BTCUSDT", limit=1000)
        await session.get("ping")

    session.run(60, overlap())
    assert [answer.status for _, answer in session.answers] == [200, 200, 429, 429]
    assert session.exchange.offences == []


def test_the_weight_is_forgotten_with_the_minute():
    session = Session(weight_limit=100)

    async def wait():
        await session.get("depth", symbol="BTCUSDT", limit=1000)
        await session.clock.sleep(60)
        await session.get("ping")

    session.run(100, wait())
    assert [used(answer) for _, answer in session.answers] == [50, 1]


def test_a_connection_is_told_of_its_end_and_ends_after_its_life():
    session = Session(life_s=60.0, grace_s=10.0)
    session.run(90, session.listen(again=False))
    said = [at for at, frame in session.frames if b"serverShutdown" in frame]
    ((ended, closed),) = session.ends
    assert closed.code == 1001 and len(said) == 1
    assert 9.9e9 < ended - said[0] < 10.1e9 and 60e9 <= ended < 60.2e9


def test_pings_come_beside_the_messages_and_a_client_that_never_answers_is_cut_off():
    session = Session()
    session.run(70, session.listen())
    assert session.sockets[0].pings == 3
    connection = session.exchange.connect("/stream", "btcusdt@trade")
    connection.answered = lambda now_ns: None
    session.exchange.advance(session.exchange.now_ns + 200_000_000_000)
    assert not connection.is_open and connection.outbox[-1].code == 1008


def test_subscriptions_are_joined_left_and_listed_by_messages():
    session, told = Session(), []

    async def talk():
        socket = await session.network.connect("ws://venue/ws", 1 << 20)
        for method, params in (
            ("SUBSCRIBE", ["btcusdt@trade", "btcusdt@nothing"]),
            ("LIST_SUBSCRIPTIONS", []),
            ("UNSUBSCRIBE", ["btcusdt@trade"]),
            ("LIST_SUBSCRIPTIONS", []),
            ("NONSENSE", []),
        ):
            await session.clock.sleep(1.0)
            await socket.send(
                json.dumps({"method": method, "params": params, "id": len(told)}).encode()
            )
        await socket.send(b"{not json")
        while True:
            told.append(json.loads(await socket.receive()))

    session.run(60, talk())
    answers = [row for row in told if "id" in row]
    assert [row.get("result", "refused") for row in answers] == [
        None, ["btcusdt@trade"], None, [], "refused", "refused",
    ]  # fmt: skip
    assert all(row["e"] == "trade" for row in told if "id" not in row)


def test_too_many_messages_close_the_connection():
    session, ends = Session(), []

    async def flood():
        socket = await session.network.connect("ws://venue/ws", 1 << 20)
        try:
            while True:
                await socket.send(b'{"method":"LIST_SUBSCRIPTIONS","id":1}')
                await session.clock.sleep(0.01)
        except Closed as closed:
            ends.append(closed.code)

    session.run(5, flood())
    assert ends == [1008] and session.exchange.offences


def test_streams_that_a_venue_does_not_have_mean_nothing_there():
    spot, usdm, _ = (Session(venue).exchange.face for venue in VENUES)
    for name in ("btcusdt@depth@250ms", "btcusdt@markPrice", "btcusdt@depth7", "BTCUSDT@trade"):
        assert read_stream(name, spot) is None
    assert read_stream("btcusdt@markPrice@1s", usdm) is not None
    assert read_stream("btcusdt@kline_1s", usdm) is None


@pytest.mark.parametrize("venue", VENUES)
def test_the_list_of_symbols_names_their_grids_and_who_is_halted(venue):
    session = Session(venue, faults=[planned("halt", 5.0, seconds=30.0)])

    async def ask_twice():
        await session.get("exchangeInfo")
        await session.clock.sleep(10.0)
        await session.get("exchangeInfo", symbol="BTCUSDT")

    session.run(20, ask_twice())
    before, halted = (json.loads(a.body)["symbols"][0] for _, a in session.answers)
    status = "contractStatus" if venue == "binance_coinm" else "status"
    assert before[status] == "TRADING" != halted[status]
    filters = {row["filterType"]: row for row in before["filters"]}
    face = session.exchange.listings["BTCUSDT"].settings.face
    assert float(filters["PRICE_FILTER"]["tickSize"]) == 10.0**-face.price_decimals
    assert float(filters["LOT_SIZE"]["stepSize"]) == 10.0**-face.size_decimals
