"""One simulated machine: what outlives a process, and the World that each life of it is handed."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

from qf.seams import Network, World
from qf.simulator.clock import VirtualClock
from qf.simulator.disk import Platter
from qf.simulator.loop import VirtualLoop
from qf.simulator.process import Process

Main = Callable[[World], Coroutine[Any, Any, Any]]
Reach = Callable[[Process], Network]


class SimWorld:
    """The loop, the clock and the platter of one machine, and its lives one after the other.

    `reach` gives a life its way to the venues. Chance is drawn per life from the seed, so that a
    restart does not repeat the waits of the life before.
    """

    def __init__(self, seed: int, start_ns: int, reach: Reach, loop: VirtualLoop) -> None:
        self.loop = loop
        self.clock = VirtualClock(loop, start_ns)
        self.platter = Platter(random.Random(seed * 2 + 1))
        self.lives = 0
        self.process: Process | None = None
        self._seed, self._reach = seed, reach

    def start(self, main: Main) -> Process:
        """Begin a life: its main task is handed a World."""
        self.lives += 1
        process = Process(f"life {self.lives}")
        chance = random.Random(self._seed * 1_000_003 + self.lives)
        disk = self.platter.mount(process)
        world = World(self.clock, chance, disk, self._reach(process))
        self.process = process
        self.loop.spawn(process, main(world))
        return process

    def kill(self) -> None:
        """End the life as `kill -9` does: what was written is still in the page cache."""
        if self.process is not None:
            self.loop.doom(self.process)
            self.process = None

    def power_loss(self) -> None:
        """End the life and lose what was not durable."""
        self.kill()
        self.platter.power_loss()
