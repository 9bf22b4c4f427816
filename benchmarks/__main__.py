"""`make bench`: run every job, print as it goes, rewrite benchmarks/README.md.

python -m benchmarks [--events N] [--repeats N] [--only WORD]   (a part of the jobs leaves the page)
python -m benchmarks --only memory|symbols|start                   (each rewrites its own page)
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.timing import Job, machine, measure, use_one_core

use_one_core()

from benchmarks.day import EVENTS_PER_DAY, Day, make_day  # noqa: E402  the libraries read the thread counts once
from benchmarks.jobs import (  # noqa: E402
    asof,
    barrier,
    bars,
    book,
    captures,
    end_to_end,
    estimators,
    fused,
    memory,
    pack,
    rolling,
    start,
    symbols,
)
from benchmarks.peers import ROOT  # noqa: E402
from benchmarks.report import line, write_page  # noqa: E402
from benchmarks.yardstick import Yardstick  # noqa: E402

WORK = ROOT / ".bench" / "work"
EVENTS, REPEATS = 2_000_000, 7


# What builds each job (or several), by the word for `--only`.
JOBS = {
    "book": book.jobs,
    "bars": bars.jobs,
    "asof": asof.job,
    "fused": lambda day, repeats: fused.jobs(day, repeats, WORK),
    "captures": lambda day, repeats: captures.jobs(day, repeats, WORK),
    "rolling": rolling.jobs,
    "barrier": barrier.jobs,
    "estimators": estimators.jobs,
    "batch": pack.batch_job,
    "live": pack.live_job,
    "many": pack.many_job,
    "end": lambda day, repeats: end_to_end.jobs(_whole(day), repeats, WORK),
}
# What takes too long to run with the others, and writes a page of its own.
PAGES = {
    "memory": lambda events: memory.write_page(events, WORK),
    "symbols": lambda events: symbols.write_page(WORK),
    "start": lambda events: start.write_page(Yardstick(make_day(events or EVENTS)), WORK),
}


def _whole(day: Day) -> Day:
    """Return all of the day where nobody asked for another length: how a run begins counts."""
    return make_day(EVENTS_PER_DAY) if day.events == EVENTS else day


def main() -> None:
    """Run the jobs."""
    parser = argparse.ArgumentParser(description="ours next to the peers")
    parser.add_argument("--events", type=int)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    if not any(chosen.only in word for word in (*JOBS, *PAGES)):
        parser.error(f"--only {chosen.only}: one of {', '.join((*JOBS, *PAGES))}")
    WORK.mkdir(parents=True, exist_ok=True)
    if chosen.only in PAGES:
        PAGES[chosen.only](chosen.events)
        return
    events = chosen.events or EVENTS
    print(f"{machine()}; making a day of {events:,} events", file=sys.stderr)
    day = make_day(events)
    yardstick = Yardstick(day)
    rows = []
    for word, build in JOBS.items():
        if chosen.only not in word:
            continue
        built = build(day, chosen.repeats)
        for job in [built] if isinstance(built, Job) else built:
            made = measure(job, chosen.repeats, yardstick)
            for row in made:
                print(line(row), flush=True)
            rows += made
    if not chosen.only:
        write_page(rows, [], day.events, chosen.repeats, machine())
        print("written: benchmarks/README.md", file=sys.stderr)


if __name__ == "__main__":
    main()
