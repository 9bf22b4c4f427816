"""A full disk, a sync that fails, a sink that is down: stop, say so, lose nothing."""

from __future__ import annotations

import dataclasses
import errno

import pytest

from qf.errors import QuantflowError
from qf.live.engine import Engine, Settings
from qf.simulator.disk import MountedDisk
from tests.live.scene import SETTINGS, Machine, guard, live

FOLDERS = ("tables", "jsonl")


@pytest.mark.parametrize("room", [60_000, 400_000, 900_000])
def test_a_disk_that_runs_full_stops_the_session_and_room_heals_it(short, room):
    project, frames, wanted = short
    machine = Machine(1)
    guard(machine)
    machine.platter.capacity = room
    settings = dataclasses.replace(SETTINGS, least_free_bytes=0)
    with pytest.raises(QuantflowError, match=r"stopped: .*no space left") as stopped:
        live(machine, project, frames, settings)
    assert stopped.value.code in ("QF595", "QF596")
    machine.platter.capacity = 1 << 32
    live(machine, project, frames, settings)
    assert machine.files(*FOLDERS) == wanted


def test_a_reserve_is_kept_free(short):
    project, frames, wanted = short
    machine = Machine(2)
    machine.platter.capacity = 1_500_000
    settings = dataclasses.replace(SETTINGS, least_free_bytes=1_000_000, show_seconds=0)
    with pytest.raises(QuantflowError, match="kept in reserve"):
        live(machine, project, frames, settings)
    assert machine.platter.free() > 500_000
    machine.platter.capacity = 1 << 32
    live(machine, project, frames, SETTINGS)
    assert machine.files(*FOLDERS) == wanted


def test_a_sync_that_fails_stops_the_session_before_anything_comes_of_it(short):
    project, frames, wanted = short
    stopped = 0
    for at in (3, 17, 31, 40):
        machine = Machine(at)
        guard(machine)
        machine.platter.watchers.append(fail_after(machine, at))
        try:
            live(machine, project, frames, SETTINGS)
        except QuantflowError as error:
            assert "could not sync" in error.sentence
            stopped += 1
            live(machine, project, frames, SETTINGS)
        assert machine.files(*FOLDERS) == wanted
    assert stopped >= 2  # a table file that could not be synced is written again instead


def fail_after(machine: Machine, at: int):
    """Return a watcher that lets the sync after so many others fail, once."""
    done = 0

    def watch(operation: str, path: str, data: bytes) -> None:
        nonlocal done
        if operation == "sync":
            done += 1
            if done == at:
                machine.platter.sync_fails = 1

    return watch


class Down(MountedDisk):
    """A disk on which no table can be written for a while."""

    attempts = 0
    lasts = 0

    def write(self, path: str, data: bytes) -> None:
        if path.startswith("tables/"):
            Down.attempts += 1
            if Down.attempts <= Down.lasts:
                raise OSError(errno.EHOSTDOWN, "the store is down", path)
        super().write(path, data)


def down(machine: Machine, lasts: int, monkeypatch) -> None:
    Down.attempts, Down.lasts = 0, lasts
    monkeypatch.setattr(machine.platter, "mount", lambda process: Down(machine.platter, process))


def test_a_sink_that_comes_back_gets_what_it_missed(short, monkeypatch):
    project, frames, wanted = short
    machine = Machine(4)
    down(machine, 6, monkeypatch)
    engine = live(machine, project, frames, SETTINGS)
    assert any("parquet waits" in note for note in engine.notes)
    assert machine.files(*FOLDERS) == wanted


def test_a_sink_that_stays_down_stops_the_session_and_nothing_is_lost(short, monkeypatch):
    project, frames, wanted = short
    machine = Machine(5)
    down(machine, 1 << 30, monkeypatch)
    with pytest.raises(QuantflowError, match="the sink parquet cannot be written"):
        live(machine, project, frames, SETTINGS)
    monkeypatch.undo()
    live(machine, project, frames, SETTINGS)
    assert machine.files(*FOLDERS) == wanted


def test_queues_are_bounded_and_nothing_that_was_refused_is_taken(short):
    project, frames, _ = short
    engine = Engine(Machine().world(), project, Settings(queue_frames=100, queue_bytes=20_000))
    taken = [frame for frame in frames[:500] if engine.offer(frame)]
    assert len(taken) == len(engine.ingress) <= 100
    assert engine.ingress.bytes <= 20_000 + max(len(f.payload) for f in frames[:500])
    assert engine.status()["queue"]["refused"] == 500 - len(taken)
    assert [frame for frame, _ in engine.ingress.take(1_000)] == taken
    assert engine.offer(frames[0])
