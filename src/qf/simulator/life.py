"""One life of the live process: the shipped engine and the shipped session, wired as a job does.

Nothing here is simulated. The life ends when either part does: with its error, or in order after
`stop`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from qf.live.engine import Engine, Settings
from qf.live.session import Session
from qf.project.model import Project
from qf.seams import World


class Life:
    """An engine and its session; `engine` is there once the life has begun."""

    def __init__(
        self,
        project: Project,
        settings: Settings,
        output: Callable[[bytes], None],
        born: Callable[[Life], None],
    ) -> None:
        self._project, self._settings, self._output, self._born = project, settings, output, born
        self.engine: Engine | None = None
        self.session: Session | None = None
        self.recovered_at: int | None = None
        self.counted = False  # whether its recovery has been counted
        self._stop = asyncio.Event()

    async def run(self, world: World) -> None:
        """Recover, then bring and compute frames until `stop`. Errors: those of the two parts."""
        symbols = self._project.symbols
        engine = Engine(world, self._project, self._settings, symbols, output=self._output)
        self.engine = engine
        self._born(self)
        await engine.recover()
        self.recovered_at = world.clock.monotonic_ns()
        self.session = Session(world, self._project, engine, symbols)
        tasks = [
            asyncio.ensure_future(each)
            for each in (engine.run(), self.session.run(), self._stop.wait())
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        computing, bringing, asked = tasks
        bringing.cancel()
        if asked not in done:
            asked.cancel()
        await asyncio.wait((bringing,))
        if computing not in done:
            engine.stop()
        await computing
        if bringing in done:
            await bringing

    def stop(self) -> None:
        """End the life in order."""
        self._stop.set()
