"""How long one waits: every kernel compiled into an empty cache, and a start with a full one.

Each is a process of its own; what counts is the time on the clock, from the command to its end.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers import ROOT
from benchmarks.project import GROUPS, make_project, plan_of
from benchmarks.timing import DESIGN_NS, machine, use_all_cores

if TYPE_CHECKING:
    from benchmarks.yardstick import Yardstick  # the process that is measured needs none

PAGE = ROOT / "benchmarks" / "start.md"
REPEATS = 5

HEAD = """# Starting

`python -m benchmarks --only start` rewrites this page. The time is that on the clock, from the
command to its end; the CPU time is that of all processes. "There" is the time on the machine where
the targets were set, by the yardstick that the [other page](README.md) explains.

Targets: every kernel into an empty cache in 15 s, a start with a full cache in 1 s. Last run on:
{machine}.

| what | s | CPU s | there s |
|---|---|---|---|
"""
HELP = [str(Path(sys.executable).with_name("qf")), "--help"]


def main() -> None:
    """Be the process that is measured: compile every kernel, or make a program of cached ones."""
    use_all_cores()
    if sys.argv[1] == "all":
        from qf.compile import compile_kernels
        from qf.op import load

        ops = [op for op in load().values() if "kernel" in op.rules]
        compile_kernels(ops)
        print(json.dumps(len(ops)))
        return
    from qf.program import Program
    from qf.project import open_project

    Program(plan_of(open_project(Path(sys.argv[2])), GROUPS).plan)


def waited(command: list[str], cache: Path) -> tuple[float, float, str]:
    """Return the seconds on the clock, those of all processors, and what the command printed."""
    environment = {**os.environ, "QF_KERNEL_CACHE": str(cache)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False
    )
    spent = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, cpu, done.stdout


def write_page(yardstick: Yardstick, work: Path) -> None:
    """Measure every wait and rewrite the page."""
    cache = work / "start"
    shutil.rmtree(cache, ignore_errors=True)
    make_project(work / "start_project")
    job = [sys.executable, "-m", "benchmarks.jobs.start"]
    text = HEAD.format(machine=machine())

    def tell(what: str, spent: float, cpu: float) -> str:
        there = spent * DESIGN_NS / yard_ns(yardstick)
        line = f"| {what} | {spent:,.2f} | {cpu:,.2f} | {there:,.2f} |\n"
        print(line, end="", flush=True)
        return line

    spent, cpu, count = waited([*job, "all"], cache)
    text += tell(f"every kernel, {json.loads(count)} of them, into an empty cache", spent, cpu)
    started = [*job, "program", str(work / "start_project")]
    for what, command in (("a project's program, cached", started), ("`qf --help`", HELP)):
        waited(command, cache)
        times = [waited(command, cache)[:2] for _ in range(REPEATS)]
        text += tell(what, *(statistics.median(column) for column in zip(*times, strict=True)))
    PAGE.write_text(text, encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}", file=sys.stderr)


def yard_ns(yardstick: Yardstick) -> float:
    """Return what the yardstick's event takes now, in ns."""
    times = []
    for _ in range(REPEATS):
        book = yardstick.book()
        begun = time.process_time()
        yardstick.run(*book)
        times.append(time.process_time() - begun)
    return statistics.median(times) / yardstick.events * 1e9


if __name__ == "__main__":
    main()
