"""Many seeds: run them, add them up, and make a small regression file of one that fails."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from qf.simulator.campaign import Campaign
from qf.simulator.report import Report
from qf.simulator.schedule import SETTLE_S, Course, Planned, Trouble, draw_course
from qf.simulator.shrink import shortest, smallest

SHRINK_RUNS = 60
# What a seed is asked: its number, its minutes, its profile.
Ask = tuple[int, float, str]


def run_course(course: Course) -> Report:
    """Run one campaign."""
    return Campaign(course).run()


def run_seed(ask: Ask) -> Report:
    """Run the campaign of one seed."""
    return run_course(draw_course(*ask))


def run_seeds(asks: Sequence[Ask], processes: int = 1) -> Iterator[Report]:
    """Yield one report per seed, in the order of the seeds."""
    if processes <= 1:
        yield from map(run_seed, asks)
        return
    # Spawned: a forked child would share the threads' locks of the libraries.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(run_seed, asks, chunksize=1)


def shrink(
    course: Course,
    run: Callable[[Course], Report] = run_course,
    runs: int = SHRINK_RUNS,
) -> tuple[Course, str]:
    """Return the smallest course found that still fails, and what is wrong with it then."""

    def fails(tried: Course) -> bool:
        return bool(run(tried).problems)

    def parts_fail(parts: list[Trouble | Planned]) -> bool:
        return fails(course.of(parts))

    small = course.of(smallest(course.parts, parts_fail, runs))
    least = 2 * SETTLE_S / 60
    minutes = shortest(small.minutes, least, lambda minutes: fails(small.until(minutes)))
    if minutes != small.minutes:
        small = small.until(minutes)
    return small, run(small).problems[0]


def keep(course: Course, problem: str, folder: Path) -> Path:
    """Write a regression file and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{course.profile}-{course.seed}.json"
    path.write_text(course.text(problem))
    return path
