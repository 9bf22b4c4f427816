"""A whole live job in one process: engine, session, and what both say of themselves each second.

1. the engine recovers: checkpoint, then the journal behind it
2. the session brings frames, the engine computes, `status.json` is written each second
3. when asked to stop: no more frames, what came is computed, the last state is written

Every part is handed the World, so the simulator runs this very job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from qf.errors import QuantflowError
from qf.live.engine import Engine
from qf.live.health import health_of
from qf.live.session import Session
from qf.project.model import Project
from qf.seams import World

STATUS_FILE = "status.json"
EVERY_S = 1.0


class Job:
    """One project's live job; `meta` is what every status says besides."""

    def __init__(
        self,
        world: World,
        project: Project,
        symbols: Sequence[str] | None = None,
        meta: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Wire engine and session; `options` are the engine's. Errors: QF300, QF56x-QF59x."""
        self.world, self.project = world, project
        self.engine = Engine(world, project, symbols=symbols, **options)
        self.session = Session(world, project, self.engine, symbols)
        self._meta = dict(meta or {})
        self._stop = asyncio.Event()
        self.problems: list[str] = []

    def stop(self) -> None:
        """Let `run` end in order."""
        self._stop.set()

    async def run(self, told: Callable[[str], None] | None = None) -> None:
        """Run until `stop`, or until the engine cannot go on. Errors: the engine's."""
        say = told or (lambda sentence: None)
        self._write()
        await self.engine.recover()
        for note in self.engine.notes:
            say(note)
        say("the engine has recovered; connecting")
        loop = asyncio.get_running_loop()
        computing = loop.create_task(self.engine.run())
        bringing = loop.create_task(self.session.run())
        stopping = loop.create_task(self._stop.wait())
        showing = loop.create_task(self._show())
        try:
            await asyncio.wait({computing, bringing, stopping}, return_when="FIRST_COMPLETED")
            await _ended(bringing)
            self.engine.stop()
            await computing
            if not bringing.cancelled() and (failure := bringing.exception()) is not None:
                raise failure
        except QuantflowError as error:
            self.problems.append(str(error))
            raise
        finally:
            for task in (stopping, showing, bringing, computing):
                await _ended(task)
            self._write()
        say("stopped: everything that came is computed")

    def status(self) -> dict[str, Any]:
        """Return everything there is to know, as plain data."""
        engine, venues = self.engine.status(), self.session.status()
        return {
            **self._meta,
            "project": self.project.name,
            "wall_ns": self.world.clock.wall_ns(),
            "stages": health_of(engine, venues),
            "engine": engine,
            "venues": venues,
            "problems": self.problems,
        }

    async def _show(self) -> None:
        while True:
            await self.world.clock.sleep(EVERY_S)
            self._write()

    def _write(self) -> None:
        try:
            self.world.disk.write(STATUS_FILE, msgspec.json.encode(self.status()))
        except OSError as failure:
            self.problems = [f"the status could not be written: {failure.strerror or failure}"]


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task that still runs, and wait until it has ended."""
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
