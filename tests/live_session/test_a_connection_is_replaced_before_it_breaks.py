"""Connections: back-off, stalls, hand-over without a hole."""

import itertools

from live_session.scripted import Stage, depth, trade

SECOND = 1_000_000_000


class Late:
    """The same, but the first connection is half a second behind the others."""

    def __init__(self, stage):
        self.stage, self.number = stage, 0

    def __call__(self):
        self.number += 1
        for place, socket in enumerate(self.stage.network.sockets):
            number = self.number - (0 if place else 25)
            if socket.why is None and number > 0:
                socket.push(depth(2 * number - 1, 2 * number), trade(number))


class Feed:
    """Send one difference and one trade per call over every open socket, as a venue does."""

    def __init__(self, stage):
        self.stage, self.number = stage, 0
        self.silent = set()

    def __call__(self):
        self.number += 1
        for socket in self.stage.network.sockets:
            if socket.why is None and socket not in self.silent:
                socket.push(depth(2 * self.number - 1, 2 * self.number), trade(self.number))


def ids(stage, kind):
    found = [stage.plan.face.glance(frame.payload) for frame in stage.heart.frames]
    return [glance.last_id for glance in found if glance.kind == kind]


def is_unbroken(stage):
    """Say whether trades and differences arrived without a hole, repeats aside."""
    for kind, step in (("trade", 1), ("depth", 2)):
        seen = ids(stage, kind)
        highest = seen[0]
        for each in seen:
            if each > highest + step:
                return False
            highest = max(highest, each)
    return True


def test_a_lost_connection_comes_back_and_waits_longer_each_time():
    stage = Stage()
    stage.network.refuse = 6
    stage.network.sockets[0].drop()
    stage.until(60)
    times = [at / SECOND for at in stage.network.opened_at[1:8]]
    waits = [b - a for a, b in itertools.pairwise(times)]
    assert len(stage.network.sockets) >= 2 and len(waits) == 6
    assert all(0.45 < b / a < 4.1 for a, b in itertools.pairwise(waits))


def test_a_stall_with_pings_only_is_noticed_within_three_seconds():
    stage = Stage()
    feed = Feed(stage)
    stage.play(10, 0.05, feed)
    feed.silent.add(stage.network.sockets[0])
    stage.play(13, 0.05, feed)
    assert len(stage.network.sockets) == 2
    stage.play(18, 0.05, feed)
    assert stage.network.sockets[0].closed_by_us and ids(stage, "trade")[-1] == feed.number


def test_one_stalled_stream_is_enough_and_the_others_flow_on():
    stage = Stage()
    feed = Feed(stage)
    stage.play(10, 0.05, feed)
    older = stage.network.sockets[0]
    number = feed.number
    while stage.loop.time() < 20 and len(stage.network.sockets) == 1:
        number += 1
        older.push(trade(number))
        stage.until(stage.loop.time() + 0.05)
    assert stage.loop.time() < 13
    assert ids(stage, "trade") == list(range(1, number + 1))


def test_a_connection_is_replaced_after_23_h_50_without_a_hole():
    stage = Stage()
    stage.link._life_ns = 30 * SECOND
    feed = Feed(stage)
    stage.play(40, 0.02, feed)
    assert len(stage.network.sockets) == 2 and stage.network.sockets[0].closed_by_us
    assert stage.link.replacements == 1 and stage.link.breaks == 0
    assert is_unbroken(stage) and ids(stage, "trade")[-1] == feed.number


def test_a_shutdown_notice_is_followed_at_once_and_without_a_hole():
    stage = Stage()
    feed = Feed(stage)
    stage.play(5, 0.02, feed)
    stage.network.sockets[0].push(b'{"e":"serverShutdown","E":1770123456789}')
    stage.play(6, 0.02, feed)
    assert len(stage.network.sockets) == 2 and stage.network.sockets[0].closed_by_us
    assert is_unbroken(stage) and stage.link.last_reason == "the venue shuts the connection down"


def test_a_notice_is_not_forgotten_when_the_new_connection_is_refused():
    stage = Stage()
    feed = Feed(stage)
    stage.play(5, 0.02, feed)
    stage.network.refuse = 2
    stage.network.sockets[0].push(b'{"e":"serverShutdown","E":1770123456789}')
    stage.play(15, 0.02, feed)
    assert len(stage.network.sockets) == 2 and is_unbroken(stage)


def test_the_candidate_takes_over_when_the_older_connection_dies_meanwhile():
    stage = Stage()
    feed = Feed(stage)
    stage.play(5, 0.02, feed)
    older = stage.network.sockets[0]
    older.push(b'{"e":"serverShutdown","E":1770123456789}')
    stage.until(stage.loop.time() + 0.001)
    older.drop()
    stage.play(8, 0.02, feed)
    assert len(stage.network.sockets) == 2 and stage.link.breaks == 1
    assert ids(stage, "trade")[-1] == feed.number


def test_a_candidate_that_stays_silent_is_dropped_and_the_next_comes_later():
    stage = Stage()
    feed = Feed(stage)
    stage.play(5, 0.05, feed)

    class Deaf(set):
        def __contains__(self, socket):
            return socket is not stage.network.sockets[0]

    feed.silent = Deaf()
    stage.network.sockets[0].push(b'{"e":"serverShutdown","E":1770123456789}')
    stage.play(90, 0.05, feed)
    assert 2 < len(stage.network.sockets) < 8
    assert is_unbroken(stage) and ids(stage, "trade")[-1] == feed.number


def test_the_older_connection_stays_until_it_has_brought_what_the_newer_one_lacks():
    stage = Stage()
    feed = Late(stage)
    stage.play(5, 0.02, feed)
    stage.network.sockets[0].push(b'{"e":"serverShutdown","E":1770123456789}')
    stage.play(8, 0.02, feed)
    assert stage.network.sockets[0].closed_by_us and stage.link.replacements == 1
    assert is_unbroken(stage) and ids(stage, "depth")[-1] == 2 * feed.number


def test_a_stream_that_was_busy_and_is_mute_after_a_reconnect_is_noticed_as_soon():
    stage = Stage()
    feed = Feed(stage)
    stage.play(10, 0.05, feed)
    stage.network.sockets[0].drop()
    stage.until(11)
    assert len(stage.network.sockets) == 2  # it is open, and nothing comes
    stage.until(14)
    assert len(stage.network.sockets) == 3
