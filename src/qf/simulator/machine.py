"""Faults of the machine that the session runs on: death, power, disk, and the wall clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qf.simulator.schedule import Trouble
from qf.simulator.world import SimWorld

DOWN_S = (0.2, 6.0)  # from death to the next start
WALL_STEP_S = 20.0
SLOW_SYNC_S = 0.4
MOST_OPERATIONS = 60


@dataclass
class Machine:
    """Let troubles strike a world; `died` is told of every death, with the seconds until a start.

    `excused` is until when an error of the disk may end the session.
    """

    world: SimWorld
    died: Callable[[float], None]
    excused: float = -1.0

    def strike(self, trouble: Trouble) -> None:
        """Let a trouble begin now."""
        getattr(self, f"_{trouble.kind}")(trouble)

    def _kill(self, trouble: Trouble) -> None:
        self.world.kill()
        self.died(_share(trouble, DOWN_S))

    def _power_loss(self, trouble: Trouble) -> None:
        self.world.power_loss()
        self.died(_share(trouble, DOWN_S))

    def _kill_in_disk(self, trouble: Trouble) -> None:
        self._light(trouble, self._kill)

    def _power_loss_in_disk(self, trouble: Trouble) -> None:
        self._light(trouble, self._power_loss)

    def _light(self, trouble: Trouble, end: Callable[[Trouble], None]) -> None:
        platter = self.world.platter
        platter.fuse = 1 + int(abs(trouble.amount) * MOST_OPERATIONS)
        platter.blow = lambda: end(trouble)

    def _disk_full(self, trouble: Trouble) -> None:
        platter = self.world.platter
        platter.capacity = platter.used() + int(20_000 * (1 + trouble.amount))
        until = self.world.loop.time() + trouble.length_s
        self.excused = max(self.excused, until + 2.0)

        def room() -> None:
            platter.capacity = platter.whole  # not what it was: another fault may have filled it

        self.world.loop.call_later(trouble.length_s, room)

    def _sync_fails(self, trouble: Trouble) -> None:
        self.world.platter.sync_fails = 1 + int(2 * abs(trouble.amount))
        self.excused = max(self.excused, self.world.loop.time() + 60.0)

    def _slow_disk(self, trouble: Trouble) -> None:
        loop, platter = self.world.loop, self.world.platter
        until = loop.time() + trouble.length_s
        each = SLOW_SYNC_S * abs(trouble.amount)

        def slow() -> None:
            if loop.time() < until:
                loop.block(each)

        platter.slow = slow

    def _wall_step(self, trouble: Trouble) -> None:
        self.world.clock.step(int(trouble.amount * WALL_STEP_S * 1e9))


def _share(trouble: Trouble, bounds: tuple[float, float]) -> float:
    return bounds[0] + abs(trouble.amount) * (bounds[1] - bounds[0])
