"""Process CPU time on one core, ours and the peers' repeats taken in turn."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.yardstick import Yardstick  # loads libraries that read the thread counts once

Run = Callable[..., Any]
WARM_S, MOST_BEFORE = 0.01, 7  # of runs that are shorter; so many, as the peers elsewhere have
LONG_S = 1.0  # a first run that takes this long is no short one, compiling or not
DESIGN_NS = 12.5  # the yardstick's event on the machine where the targets were set
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


def resident_mib(pid: int | str = "self") -> float:
    """Return the memory of a process that is in RAM."""
    return (
        int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    )


def use_one_core() -> None:
    """Hold this process, and every library it will load, on one core."""
    for name in THREADS:
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def use_all_cores() -> None:
    """Let a process that the bench has started run as one that a user starts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


@dataclass(frozen=True)
class Contender:
    """One way to do a job: `prepare` is not timed, what it returns is handed to `run`, which is."""

    name: str
    run: Run
    prepare: Callable[[], tuple[Any, ...]] = tuple


@dataclass(frozen=True)
class Job:
    """One comparison: what is done, how many elements, what comes out of it."""

    name: str
    unit: str  # what one element is: event, row, update, trade
    elements: int
    makes: str  # the tables and columns that the job has made when it ends
    ours: Contender
    peers: tuple[Contender, ...] = ()
    bound_ns: float | None = None  # what this version must reach
    target_ns: float | None = None  # what the design aims at
    # The figure of the named peer that the bounds were set beside, on a quiet machine: they hold
    # as ratios to it on any other.
    beside: tuple[str, float] | None = None
    # The least ratio that the design aims at, by the beginning of a peer's name.
    target_ratios: Mapping[str, float] = field(default_factory=dict)
    elsewhere: dict[str, list[float]] = field(default_factory=dict)  # peers timed in their own env
    note: str = ""
    most: int = 1000  # at most so many repeats, of a job that takes seconds


@dataclass(frozen=True)
class Row:
    """One line of the result: nanoseconds per element, ours and one peer's."""

    job: Job
    ours_ns: float
    peer: str
    peer_ns: float | None
    yard_ns: float  # the yardstick, timed between the same repeats

    @property
    def yards(self) -> float:
        """Return how many times the yardstick's event ours takes."""
        return self.ours_ns / self.yard_ns

    @property
    def there_ns(self) -> float:
        """Return what ours would take on the machine where the targets were set."""
        return self.yards * DESIGN_NS

    @property
    def ratio(self) -> float | None:
        """Return how many times longer the peer takes."""
        return None if self.peer_ns is None else self.peer_ns / self.ours_ns

    def ratio_for(self, bound_ns: float | None) -> float | None:
        """Return the ratio that meets a bound, where it was set beside this peer."""
        if bound_ns is None or self.job.beside is None or self.peer_ns is None:
            return None
        name, peer_ns = self.job.beside
        return peer_ns / bound_ns if self.peer.startswith(name) else None

    @property
    def target_ratio(self) -> float | None:
        """Return the ratio that the design aims at beside this peer."""
        aimed = self.job.target_ratios.items()
        given = next((ratio for name, ratio in aimed if self.peer.startswith(name)), None)
        return given or self.ratio_for(self.job.target_ns)


def once(contender: Contender, after: int = 0) -> float:
    """Return the CPU seconds of one run, after some that are not counted; the collector is held."""
    given = [contender.prepare() for _ in range(after + 1)]
    gc.collect()
    gc.disable()
    for each in given[:-1]:
        contender.run(*each)
    begun = time.process_time()
    contender.run(*given[-1])
    spent = time.process_time() - begun
    gc.enable()
    return spent


def _runs_before(contender: Contender) -> int:
    """Compile what a contender needs, and return how many runs warm the caches for the next."""
    if once(contender) > LONG_S:
        return 0
    spent = max(once(contender), 1e-9)
    return min(MOST_BEFORE, 1 + int(WARM_S / spent)) if spent < WARM_S else 0


def measure(job: Job, repeats: int, yardstick: Yardstick) -> list[Row]:
    """Warm every contender up, then take turns; return one row per peer.

    A short run is timed right after others of the same: it finds its data where the peers find
    theirs that run in a process of their own, one run after the other.
    """
    yard = Contender("yardstick", yardstick.run, yardstick.book)
    contenders = (yard, job.ours, *job.peers)
    after = {each.name: _runs_before(each) for each in contenders}
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for _ in range(min(repeats, job.most)):
        for contender in contenders:
            seconds[contender.name].append(once(contender, after[contender.name]))
    yard_ns = statistics.median(seconds.pop(yard.name)) / yardstick.events * 1e9
    seconds |= job.elsewhere
    ns = {name: statistics.median(taken) / job.elements * 1e9 for name, taken in seconds.items()}
    ours = ns.pop(job.ours.name)
    if not ns:
        return [Row(job, ours, "none", None, yard_ns)]
    return [Row(job, ours, name, taken, yard_ns) for name, taken in ns.items()]


def machine() -> str:
    """Return the processor and system the figures were taken on."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            names = [line.split(":", 1)[1].strip() for line in info if "model name" in line]
        name = names[0] if names else name
    except OSError:
        return f"{name}, {platform.system()}"  # not Linux
    return (
        f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )
