"""Memory of a session over a day: `python -m benchmarks.live_memory --hours 24`.

The frames of a seeded market go through the whole engine (journal, book, clocks, features, Parquet,
checkpoints) on a real disk, as fast as they are computed; the clock is the market's. The market is
made by another process, so that the memory is the session's own. Each virtual hour the resident
memory is read; growth is counted from the end of hour --settled on, when every window is full and
the allocator has met its largest epoch.

Writes benchmarks/live_memory.md.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn

from benchmarks.peers import ROOT
from benchmarks.timing import machine, resident_mib
from qf.live.engine import Engine
from qf.live.real_disk import RealDisk
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.seams import Closed, World
from qf.tape.journal import Frame
from qf.testing.market.settings import NO_FAULTS, MarketSettings
from qf.testing.market.simulate import Market

FOLDER = ROOT / ".bench" / "work" / "live_memory"
PAGE = ROOT / "benchmarks" / "live_memory.md"
HOUR_NS = 3_600_000_000_000
GROUP = 512


class MarketClock:
    """Time as the market's frames bring it."""

    def __init__(self, start_ns: int) -> None:
        self.now = start_ns

    def wall_ns(self) -> int:
        """Return the time of the newest frame."""
        return self.now

    def monotonic_ns(self) -> int:
        """Return the same: frames come in order."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Return at once: only frames move this time."""
        await asyncio.sleep(0)


class NoNetwork:
    """A network that nobody reaches: the frames are handed to the engine."""

    async def connect(self, url: str, max_message_bytes: int) -> NoReturn:
        """Refuse."""
        raise Closed("there is no network here")

    async def get(
        self, url: str, params: Sequence[tuple[str, str]], timeout_s: float, max_bytes: int
    ) -> NoReturn:
        """Refuse."""
        raise Closed("there is no network here")


def market_frames(hours: float, intensity: float) -> Iterator[tuple[int, bytes]]:
    """Yield (receive time, frame) of the market, which another process makes."""
    order = [sys.executable, "-m", "benchmarks.live_memory", "--emit", "--hours", str(hours)]
    made = subprocess.Popen([*order, "--intensity", str(intensity)], stdout=subprocess.PIPE)
    assert made.stdout is not None
    for line in made.stdout:
        time, _, frame = line.rstrip(b"\n").partition(b" ")
        yield int(time), frame
    made.wait()


def emit(hours: float, intensity: float) -> None:
    """Write the market's lines to standard output."""
    market = Market(MarketSettings(intensity=intensity, faults=NO_FAULTS, keep_truth=False))
    for _ in range(round(hours * 60) + 1):  # so that the last hour ends
        sys.stdout.buffer.writelines(market.lines(60.0))


async def session(hours: float, intensity: float) -> list[tuple[float, int, float]]:
    """Run the engine over the market; return (hour, frames, MiB) at every virtual hour."""
    frames = market_frames(hours, intensity)
    first, body = next(frames)
    clock = MarketClock(first)
    disk = RealDisk(FOLDER / "session")
    project = open_project(FOLDER)
    engine = Engine(World(clock, random.Random(1), disk, NoNetwork()), project)
    await engine.recover()
    running = asyncio.ensure_future(engine.run())
    engine.offer(Frame(first, "", body))
    rows, count, due = [], 1, first + HOUR_NS
    for time, frame in frames:
        clock.now = max(clock.now, time)
        while not engine.offer(Frame(time, "", frame)):
            await engine.room()
        count += 1
        if count % GROUP == 0:
            while len(engine.ingress) and not running.done():
                await asyncio.sleep(0)
        if running.done():
            break
        if time >= due:
            rows.append(((due - first) / HOUR_NS, count, resident_mib()))
            due += HOUR_NS
            print(f"hour {rows[-1][0]:.0f}: {count:,} frames, {rows[-1][2]:.1f} MiB", flush=True)
    engine.stop()
    await running
    return rows


def main() -> None:
    """Run, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--intensity", type=float, default=20.0)
    parser.add_argument("--settled", type=int, default=2)
    parser.add_argument("--emit", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.emit:
        return emit(given.hours, given.intensity)
    shutil.rmtree(FOLDER, ignore_errors=True)
    write_project(FOLDER, draft_project(FOLDER.name, "crypto", None, None))
    rows = asyncio.run(session(given.hours, given.intensity))
    shutil.rmtree(FOLDER, ignore_errors=True)
    after = [mib for hour, _, mib in rows if hour >= given.settled]
    growth = 100 * (after[-1] / after[0] - 1)
    lines = [
        "# Memory of a session over a day\n",
        "`python -m benchmarks.live_memory` writes this page: a seeded market through the whole",
        "engine on a real disk, by the market's clock; resident memory at every virtual hour.\n",
        f"Last run on: {machine()}.\n",
        "| hour | frames | MiB |\n|---|---|---|",
        *(f"| {hour:.0f} | {count:,} | {mib:.1f} |" for hour, count, mib in rows),
        f"\nFrom hour {given.settled} to the end: {growth:+.1f} %.",
    ]
    PAGE.write_text("\n".join(lines) + "\n")
    print(lines[-1].strip())
    return None


if __name__ == "__main__":
    main()
