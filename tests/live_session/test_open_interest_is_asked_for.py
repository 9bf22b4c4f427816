"""What no stream carries is asked for over REST: in turn, never twice at a time, no rubbish."""

from live_session.scripted import Stage
from qf.seams import Response

KINDS = ("trade", "depth", "open_interest")
SYMBOLS = ("BTCUSDT", "ETHUSDT")


def body(symbol, number=5):
    return f'{{"symbol":"{symbol}","openInterest":"{number}.5","time":1760000000000}}'.encode()


def stage_of(answer):
    stage = Stage(venue="binance_usdm", symbols=SYMBOLS, kinds=KINDS)
    stage.network.answer = answer
    return stage


def test_every_symbol_is_asked_for_every_ten_seconds():
    stage = stage_of(lambda path, params: Response(200, {}, body(params["symbol"])))
    stage.until(25)
    assert {path for _, path, _ in stage.network.gets} == {"/fapi/v1/openInterest"}
    assert [params["symbol"] for _, _, params in stage.network.gets] == [*SYMBOLS] * 3
    assert stage.heart.payloads() == [body(symbol) for symbol in SYMBOLS] * 3
    assert {(frame.symbol, frame.origin) for frame in stage.heart.frames} == {
        (symbol, "rest") for symbol in SYMBOLS
    }
    assert "openInterest" not in stage.network.sockets[0].url


def test_an_answer_of_another_kind_is_not_handed_on():
    answers = iter([b"{}", b"[]", b'{"openInterest":"x"', body("BTCUSDT")[:-4], b""])
    stage = stage_of(lambda path, params: Response(200, {}, next(answers, b"null")))
    stage.until(35)
    assert len(stage.network.gets) == 8 and stage.heart.frames == []
    assert stage.venue.status()["rest"]["refused_answers"] > 0


def test_a_ban_heaps_up_no_questions():
    replies = iter([Response(418, {"retry-after": "60"}, b"")])
    stage = stage_of(lambda path, params: next(replies, Response(200, {}, body(params["symbol"]))))
    stage.until(59)
    assert len(stage.network.gets) == 1
    stage.until(69)
    assert len(stage.network.gets) <= 4  # the rest of that turn, and the next


def test_a_provider_may_leave_it_out():
    stage = Stage(venue="binance_usdm", kinds=("trade", "depth"))
    stage.until(25)
    assert stage.network.gets == []
