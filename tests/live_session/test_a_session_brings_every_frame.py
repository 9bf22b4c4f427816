"""Frames reach the engine whole and in order; what is missing is asked for, or declared."""

from live_session.scripted import Stage, depth, listed, snapshot, trade
from qf.seams import Response


def test_frames_go_on_in_the_order_they_came():
    stage = Stage()
    sent = [depth(1, 2), trade(7), b"garbage", depth(3, 3), trade(8)]
    stage.network.sockets[0].push(*sent)
    stage.until(1)
    assert stage.heart.payloads() == sent
    assert stage.venue.status()["unreadable"] == 1


def test_every_stream_is_subscribed_in_the_address():
    stage = Stage(symbols=("BTCUSDT", "ETHUSDT"))
    streams = stage.network.sockets[0].url.partition("streams=")[2].split("/")
    assert streams == [
        f"{symbol}@{name}" for symbol in ("btcusdt", "ethusdt") for name in ("trade", "depth@100ms")
    ]


def test_a_hole_in_the_trades_is_filled_in_order_over_rest():
    stage = Stage()
    stage.network.answer = lambda path, params: Response(
        200, {}, f"[{','.join(listed(n) for n in range(int(params['fromId']), 13))}]".encode()
    )
    stage.network.sockets[0].push(trade(9), trade(13), trade(14))
    stage.until(0.05)
    assert stage.heart.payloads() == [trade(9)]
    stage.until(2)
    filled = [listed(n).encode() for n in (10, 11, 12)]
    assert stage.heart.payloads() == [trade(9), *filled, trade(13), trade(14)]
    assert [frame.origin for frame in stage.heart.frames] == ["ws", *["rest"] * 3, "ws", "ws"]
    assert [frame.symbol for frame in stage.heart.frames] == ["", *["BTCUSDT"] * 3, "", ""]
    assert [get[2]["limit"] for get in stage.network.gets] == ["3"]


def test_a_hole_that_nobody_can_fill_is_declared_and_nothing_else_is_lost():
    stage = Stage()
    stage.network.sockets[0].push(trade(9), trade(13), depth(1, 2), trade(15))
    stage.until(1)
    assert stage.heart.payloads() == [trade(9), depth(1, 2)]  # books do not wait for trades
    stage.until(9)  # two holes, one after the other
    assert stage.heart.payloads() == [trade(9), depth(1, 2), trade(13), trade(15)]
    assert stage.venue.status()["symbols"]["BTCUSDT"]["trades_missing"] == 4


def test_a_full_queue_drops_differences_and_holds_trades_back():
    stage = Stage()
    socket = stage.network.sockets[0]
    stage.heart.full = True
    socket.push(depth(1, 2), trade(7), depth(3, 4), trade(8))
    stage.until(1)
    assert stage.heart.conflated == 1 and len(socket.waiting) == 2  # the socket waits
    stage.heart.full = False
    stage.until(2)
    assert stage.heart.payloads() == [trade(7), depth(3, 4), trade(8)]


def test_a_snapshot_is_asked_for_only_once_differences_flow():
    stage = Stage()
    stage.heart.book_state("BTCUSDT").reason = "unsynced"
    stage.network.answer = lambda path, params: Response(200, {}, snapshot(5))
    stage.until(3)
    assert stage.network.gets == []
    stage.network.sockets[0].push(depth(4, 6))
    stage.until(3.3)
    assert stage.heart.payloads() == [depth(4, 6), snapshot(5)]
    stage.heart.book_state("BTCUSDT").reason = ""
    stage.until(8)
    assert len(stage.network.gets) == 1


def test_a_truncated_snapshot_is_not_computed_from():
    stage = Stage()
    stage.heart.book_state("BTCUSDT").reason = "gap"
    bodies = iter([snapshot(5)[:-9], b"{}", b"", snapshot(9)])
    stage.network.answer = lambda path, params: Response(200, {}, next(bodies, snapshot(11)))
    stage.network.sockets[0].push(depth(4, 6))
    stage.until(2.5)
    assert stage.heart.payloads()[:2] == [depth(4, 6), snapshot(9)]
    assert stage.venue.status()["rest"]["refused_answers"] == 3


def test_no_request_leaves_during_a_ban_and_a_restart_does_not_end_it():
    stage = Stage()
    stage.heart.book_state("BTCUSDT").reason = "gap"
    stage.network.answer = lambda path, params: Response(418, {"retry-after": "30"}, b"")
    stage.network.sockets[0].push(depth(4, 6))
    stage.until(20)
    assert len(stage.network.gets) == 1
    again = type(stage.venue)(stage.world, stage.plan, stage.heart)
    assert again.rest.budget.is_banned(stage.clock.monotonic_ns())
    stage.until(40)
    first, second = stage.network.gets[:2]
    assert second[0] - first[0] > 30_000_000_000


def test_trades_keep_their_order_when_a_hole_ends_while_the_queue_is_full():
    stage = Stage()
    heart, take, socket = stage.heart, stage.heart.offer, stage.network.sockets[0]

    def one_at_a_time(frame):
        taken = take(frame)
        if taken:
            heart.full = True
            stage.loop.call_later(0.05, setattr, heart, "full", False)
        return taken

    socket.push(trade(1), *(trade(n) for n in range(4, 9)))
    stage.until(2.9)
    heart.offer = one_at_a_time
    heart.full = True
    stage.until(4)
    socket.push(*(trade(n) for n in range(9, 30)))
    stage.until(4.5)
    heart.full = False
    stage.until(9)
    assert heart.payloads() == [trade(n) for n in (1, *range(4, 30))]


def test_trades_made_while_nobody_listened_are_asked_for():
    stage = Stage()
    stage.heart.book_state("BTCUSDT").next_trade = 7
    stage.network.answer = lambda path, params: Response(
        200, {}, f"[{','.join(listed(n) for n in range(int(params['fromId']), 10))}]".encode()
    )
    stage.network.sockets[0].push(trade(10))
    stage.until(1)
    assert stage.heart.payloads() == [*(listed(n).encode() for n in (7, 8, 9)), trade(10)]
