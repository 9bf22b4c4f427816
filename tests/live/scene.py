"""A session without a network: a real project, its capture's frames, a disk that can die."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from qf.engines.sources import providers_of
from qf.live.engine import Engine, Settings
from qf.project.model import Project
from qf.seams import World
from qf.simulator.disk import Platter
from qf.simulator.process import Killed, Process
from qf.store.live_files import LiveReader
from qf.tape.journal import Frame
from qf.tape.provider import open_source

WRITES = ("append", "write")
# Short epochs, so that a few thousand frames hold everything that can happen.
SETTINGS = Settings(epoch_frames=600, group_frames=64, show_seconds=0.5)


class Clock:
    """Time that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0

    def wall_ns(self) -> int:
        return 1_700_000_000_000_000_000 + self.now

    def monotonic_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)
        await asyncio.sleep(0)


class NoNetwork:
    """A network nobody may use."""

    async def connect(self, url: str, max_message_bytes: int) -> None:
        raise AssertionError(url)

    async def get(self, url: str, params: object, timeout_s: float, max_bytes: int) -> None:
        raise AssertionError(url)


class Machine:
    """What outlives a process: its disk."""

    def __init__(self, seed: int = 0) -> None:
        self.platter = Platter(random.Random(seed))
        self.lives = 0

    def world(self) -> World:
        """Return the world of a new life."""
        self.lives += 1
        disk = self.platter.mount(Process(f"life {self.lives}"))
        return World(Clock(), random.Random(self.lives), disk, NoNetwork())

    def files(self, *folders: str) -> dict[str, bytes]:
        """Return the files of some folders."""
        return {
            path: bytes(held.data)
            for path, held in sorted(self.platter.files.items())
            if path.startswith(tuple(f"{folder}/" for folder in folders))
            and not path.endswith(".part")
        }


def frames_of(project: Project, symbol: str = "") -> list[Frame]:
    """Return the frames of a project's capture, as a socket would have brought them."""
    symbol = symbol or project.symbols[0]
    (provider,) = providers_of(project, symbol)
    source = open_source(dict(provider.settings), project.folder, symbol)
    return [Frame(time, hint, payload) for time, payload, hint in source.arrivals()]


def groups_of(frames: Sequence[Frame], seed: int, most: int = 700) -> Iterable[Sequence[Frame]]:
    """Yield the frames in groups of random sizes, many of them of one frame."""
    chance, at = random.Random(seed), 0
    while at < len(frames):
        size = 1 if chance.random() < 0.3 else chance.randrange(1, most)
        yield frames[at : at + size]
        at += size


async def feed(engine: Engine, groups: Iterable[Sequence[Frame]]) -> None:
    """Offer groups to a running engine, each when the one before has been computed."""
    task = asyncio.ensure_future(engine.run())
    for group in groups:
        for frame in group:
            while not engine.offer(frame):
                await engine.room()
        while len(engine.ingress) and not task.done():
            await asyncio.sleep(0)
        if task.done():
            break
    engine.stop()
    await task


def live(
    machine: Machine,
    project: Project,
    frames: Sequence[Frame],
    settings: Settings | None = None,
    seed: int = 0,
    **given,
) -> Engine:
    """Run a session over frames that were not in its journal yet, and stop it."""
    engine = Engine(machine.world(), project, settings, **given)

    async def whole() -> None:
        await engine.recover()
        assert engine.journal is not None
        await feed(engine, groups_of(frames[engine.journal.end :], seed))

    asyncio.run(whole())
    return engine


def live_until_death(machine: Machine, project: Project, frames, settings, seed: int) -> bool:
    """Run a session like `live`; say whether it died on the way."""
    try:
        live(machine, project, frames, settings, seed)
    except Killed:
        return True
    return False


def tables_of(machine: Machine, project: Project, folder: Path) -> LiveReader:
    """Write a machine's tables to a real folder and open them."""
    for path, data in machine.files("tables").items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return LiveReader(project.name, folder / "tables")


def guard(machine: Machine) -> None:
    """Refuse every row that goes out before all the frames in the journal are durable."""

    def watch(operation: str, path: str, data: bytes) -> None:
        if path.startswith(("tables/", "jsonl/", "checkpoint/")) and operation in WRITES:
            for name, held in machine.platter.files.items():
                if name.startswith("journal/"):
                    durable = len(machine.platter.durable(name))
                    assert durable == len(held.data), (operation, path)

    machine.platter.watchers.append(watch)
