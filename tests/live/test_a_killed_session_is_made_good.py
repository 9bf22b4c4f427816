"""Killed or unplugged at any moment, a session writes the files that it would have written."""

from __future__ import annotations

import random

import pytest

from tests.live.scene import SETTINGS, Machine, guard, live_until_death


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
