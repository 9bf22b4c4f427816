"""The shipped job on a recorded capture under virtual time, killed wherever a test says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextvars import Context
from dataclasses import replace

from qf.exchange.replay import ReplayNetwork
from qf.live.engine import Settings
from qf.live.job import Job
from qf.project.model import Project
from qf.seams import World
from qf.simulator.clock import VirtualClock
from qf.simulator.disk import Platter
from qf.simulator.loop import VirtualLoop
from qf.simulator.process import Process
from qf.tape.journal import Frame

LOOK_S, DOWN_S = 0.05, 0.2
CHANNELS = {
    "binance_spot": ("trade", "depth", "bbo"),
    "binance_usdm": ("trade", "depth", "bbo", "mark"),
    "binance_coinm": ("trade", "depth", "bbo"),
}


def followed(project: Project) -> Project:
    """Return the project as if its only feed were a websocket."""
    (provider,) = project.providers
    channels = CHANNELS[provider.venue]
    live = replace(provider, kind="websocket", channels=channels, options={}, symbols=())
    return replace(project, providers=(live,))


class Replayed:
    """Lives of one job, one after the other, each going on behind the frames of its journal."""

    def __init__(self, project: Project, frames: Sequence[Frame], settings: Settings, seed: int):
        self.project, self.frames, self.settings = followed(project), frames, settings
        self.chance = random.Random(seed)
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, frames[0].processed_time)
        self.platter = Platter(random.Random(seed))
        self.deaths = self.lives = 0
        self.job: Job | None = None
        self.network: ReplayNetwork | None = None
        self.process: Process | None = None
        self.over = False

    def run(self, deaths: int, power: bool = False) -> None:
        """Replay everything, and die so many times at random moments on the way."""
        length = (self.frames[-1].processed_time - self.frames[0].processed_time) / 1e9
        self.loop.call_later(0.0, self._start)
        for _ in range(deaths):
            self.loop.call_at(self.chance.uniform(0.1, length), self._die, power)
        limit = 2 * length + 60 + deaths
        while not self.over and self.loop.time() < limit:
            self.loop.run_until(self.loop.time() + LOOK_S)
            self._look()
        assert self.over and self.loop.complaints == []

    def _start(self) -> None:
        self.lives += 1
        self.process = Process(f"life {self.lives}")
        disk = self.platter.mount(self.process)
        self.network = network = ReplayNetwork(self._rest(disk), self.clock, speed=1.0)
        world = World(network.clock, random.Random(self.lives), disk, network)
        self.job = Job(world, self.project, settings=self.settings)
        self.loop.spawn(self.process, self.job.run())

    def _rest(self, disk):
        """Yield what the journal does not hold when the first frame is asked for."""
        assert self.job is not None or self.lives == 1
        job = self.job
        for frame in self.frames[job.engine.journal.end if job else 0 :]:
            yield frame.processed_time, frame.payload, frame.symbol

    def _die(self, power: bool) -> None:
        if self.process is None or not self.process.alive or self.over:
            return
        self.deaths += 1
        self.loop.doom(self.process)
        if power:
            self.platter.power_loss()
        self.process = None
        self.loop.call_later(DOWN_S, self._start, context=Context())

    def _look(self) -> None:
        """End the job behind the last frame."""
        job, network = self.job, self.network
        if self.process is None or job is None or network is None:
            return
        if network.is_over and not len(job.engine.ingress):
            job.stop()
        self.over = job.engine.state == "stopped"
