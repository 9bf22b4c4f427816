"""Killed or unplugged at any moment, a session writes the files that it would have written."""

from __future__ import annotations

import dataclasses
import random

import pytest

from qf.live.engine import Settings
from qf.project.model import Later
from tests.live.scene import Machine, live, live_until_death

FRAMES = 2_500
SETTINGS = Settings(epoch_frames=600, group_frames=64, show_seconds=0.5)


@pytest.fixture(scope="session")
def short(batch):
    """Give a project that writes Parquet and lines, its frames, and the files of a quiet life."""
    ran, frames = batch("spot")
    place = ran.project.providers[0].place
    sinks = tuple(Later(kind, kind, {"tables": tables}, place) for kind, tables in SINKS.items())
    project = dataclasses.replace(ran.project, sinks=sinks)
    machine = Machine()
    live(machine, project, frames[:FRAMES], SETTINGS, seed=9)
    return project, frames[:FRAMES], machine.files("tables", "jsonl")


SINKS = {
    "parquet": ("enriched", "bars", "features", "labels", "vectors", "l2"),
    "jsonl": ("enriched", "bars", "vectors"),
}


def guard(machine: Machine) -> None:
    """Refuse every row that goes out before all the frames in the journal are durable."""

    def watch(operation: str, path: str, data: bytes) -> None:
        if path.startswith(("tables/", "jsonl/", "checkpoint/")) and operation in WRITES:
            for name, held in machine.platter.files.items():
                if name.startswith("journal/"):
                    durable = len(machine.platter.durable(name))
                    assert durable == len(held.data), (operation, path)

    machine.platter.watchers.append(watch)


WRITES = ("append", "write")


@pytest.mark.parametrize("way", ["kill", "power"])
def test_twenty_deaths_change_no_byte(short, way):
    project, frames, wanted = short
    chance = random.Random(way)
    deaths = machines = 0
    while deaths < 20:
        machines += 1
        machine, own = Machine(machines), 0
        guard(machine)
        while True:
            machine.platter.fuse = chance.randrange(1, 150) if own < 4 else 0
            if not live_until_death(machine, project, frames, SETTINGS, machines):
                break
            own += 1
            if way == "power":
                machine.platter.power_loss()
        deaths += own
        assert machine.files("tables", "jsonl") == wanted, machines
