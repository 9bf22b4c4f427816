"""A live session: the venues of a project's providers, driven by one loop over time.

`Session(world, project, engine)` subscribes to what the project's websocket providers name; `run`
goes on until it is cancelled or a venue's task fails. Every 100 ms it looks at time and books. What
is computed, is the engine's: the session only brings frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from qf.live.venue_plan import venue_plans
from qf.live.venue_session import Heart, VenueSession
from qf.project.model import Project
from qf.seams import World

TICK_S = 0.1


class Recovered(Heart, Protocol):
    """What a session needs of an engine that may have a past."""

    @property
    def last_time(self) -> int:
        """Return the receive time of the last frame in the journal, NULL_INT for none."""
        ...


class Session:
    """All venues of one project."""

    def __init__(
        self,
        world: World,
        project: Project,
        engine: Recovered,
        symbols: Sequence[str] | None = None,
    ) -> None:
        """Plan every venue. Errors: QF300, QF580-QF584."""
        self._world, self._engine = world, engine
        plans = venue_plans(project, symbols)
        self.venues = [VenueSession(world, plan, engine) for plan in plans]

    async def run(self) -> None:
        """Bring frames until cancelled."""
        for venue in self.venues:
            venue.arrivals.go_on_from(self._engine.last_time)
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(venue.run()) for venue in self.venues]
        tasks.append(loop.create_task(self._watch()))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def status(self) -> dict[str, Any]:
        """Return every venue's state, by provider, as plain data."""
        return {venue.plan.name: venue.status() for venue in self.venues}

    async def _watch(self) -> None:
        while True:
            await self._world.clock.sleep(TICK_S)
            for venue in self.venues:
                venue.check()
