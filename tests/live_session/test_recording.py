"""A recording is read back as a capture, frame by frame, snapshot and all; it rolls."""

from __future__ import annotations

import gzip

import pytest

from live_session.scripted import START_NS, Stage, depth, snapshot, trade
from qf.clock import DAY_NS
from qf.feeds.venue import find_venue
from qf.live.recorder import Recorder, record
from qf.seams import Response
from qf.tape.capture import CaptureSource


class Recording(Stage):
    """A recorder on the scripted network."""

    def __init__(self, form="plain", roll=1 << 30, **options):
        super().__init__(**options)
        self.recorder = Recorder(self.world, self.plan, form, roll)
        self.network.sockets.clear()
        self.network.answer = lambda path, params: Response(200, {}, snapshot(self.last))
        self.last, self.told = 5, []
        work = record(self.world, self.plan, self.recorder, 30.0, self.told.append)
        self.task = self.loop.create_task(work)
        self.until(self.loop.time() + 0.05)

    @property
    def socket(self):
        return self.network.sockets[-1]

    def finish(self):
        self.until(self.loop.time() + 40)
        assert self.task.done() and self.task.exception() is None

    def lines(self, tmp_path):
        self.finish()
        paths = []
        for name in self.recorder.files:
            path = tmp_path / name
            path.write_bytes(bytes(self.platter.files[name].data))
            paths.append(path)
        return list(CaptureSource("c", "binance_spot", tuple(paths), "ns").arrivals())


@pytest.mark.parametrize("form", ["gz", "zst", "plain"])
def test_what_is_recorded_is_read_back(form, tmp_path):
    stage = Recording(form, symbols=("BTCUSDT", "ETHUSDT"))
    sent = [depth(1, 6), trade(1), b"garbage\nwith a line end", depth(7, 8, "ETHUSDT")]
    stage.socket.push(*sent)
    arrivals = stage.lines(tmp_path)
    frames = [frame for _, frame, _ in arrivals]
    assert frames[:4] == [sent[0], sent[1], sent[2].replace(b"\n", b" "), sent[3]]
    parse = find_venue("binance_spot").parse
    named = [parse(frame, 0)[0] for frame in frames[4:6]]
    assert {(each.stream, each.symbol, each.last_id) for each in named} == {
        ("snapshot", "BTCUSDT", 5),
        ("snapshot", "ETHUSDT", 5),
    }
    assert all(time >= START_NS for time, _, _ in arrivals) and stage.told


def test_a_gap_is_followed_by_a_snapshot(tmp_path):
    stage = Recording()
    stage.socket.push(depth(1, 6), depth(7, 9))
    stage.until(stage.loop.time() + 3)
    stage.last = 40
    stage.socket.push(depth(30, 41))
    frames = [frame for _, frame, _ in stage.lines(tmp_path)]
    assert [b"lastUpdateId" in frame for frame in frames] == [False, False, True, False, True]


def test_a_file_ends_when_it_is_full_and_when_the_day_ends(tmp_path):
    stage = Recording(roll=300)
    for number in range(6):
        stage.socket.push(depth(number + 1, number + 1))
        stage.until(stage.loop.time() + 0.5)
    stage.finish()
    assert len(stage.recorder.files) > 2
    day = Recording()
    day.socket.push(depth(1, 6))
    day.until(day.loop.time() + 1)
    day.clock.step(DAY_NS)
    day.socket.push(depth(7, 8))
    day.until(day.loop.time() + 1)
    assert len(day.recorder.files) == 2
    frames = [frame for _, frame, _ in day.lines(tmp_path)]
    assert [b"lastUpdateId" in frame for frame in frames] == [False, True, False, True]


def test_after_a_power_loss_at_most_a_second_is_gone(tmp_path):
    stage = Recording("gz")
    stage.play(10, 0.1, lambda: stage.socket.push(trade(len(stage.told) * 100)))
    (name,) = stage.recorder.files
    kept = gzip.zlib.decompressobj(31).decompress(stage.platter.durable(name))
    last = int(kept.splitlines()[-1].split()[0])
    assert stage.clock.wall_ns() - last < 1_300_000_000
    stage.finish()
