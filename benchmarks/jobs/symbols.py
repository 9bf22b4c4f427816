"""Several symbols at once: how much two cores bring, and a run of 200 symbols over three days.

`python -m benchmarks --only symbols` rewrites benchmarks/symbols.md. Every run is a process of its
own with all cores, so that its CPU time and its peak memory are its own; its wall time needs a
quiet machine.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.day import FIRST_ID, LATENCY_NS, START_NS, make_day
from benchmarks.peers import ROOT
from benchmarks.timing import THREADS, machine, use_all_cores
from benchmarks.yardstick import EVENTS, Yardstick
from qf.program import Program
from qf.schema import NULL_INT, TAPE, TRADE

Call = Callable[[], object]

PAGE = ROOT / "benchmarks" / "symbols.md"
DAY_NS = 86_400 * 1_000_000_000
FEW, FEW_EVENTS = 8, 1_000_000
MANY, DAYS, DAY_EVENTS = 200, 3, 20_000
SEEDS = 8  # different tapes; the symbols take turns
TURNS = 9  # of the programs alone
REPEATS = 3  # of the runs of few symbols; the quickest counts
CREWS = (("local", 1, 1), ("local", 2, 2), ("processes", 2, 2))  # executor, workers, cores

HEAD = """# Several symbols at once

`python -m benchmarks --only symbols` rewrites this page. The project is the crypto template: four
bar clocks, snapshots, a label, 15 features and their vectors; the tapes are seeded synthetic days.
Wall and CPU are in seconds, the owner's CPU apart from that of its worker processes; peak memory is
the owner's and that of the largest worker. `×` is what the row gains over one core.

More cores speed up what is computed: there two bring what the first line says. What is stored goes
through the owner: DuckDB packs every row in one thread, which takes a third of the whole run, while
others compute; what precedes the first rows, and the commit, wait for nobody else.

Last run on: {machine}.
"""


def main() -> None:
    """Be one of the processes that are measured: print what one run took, as JSON."""
    what, folder, executor = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    workers, cores = int(sys.argv[4]), int(sys.argv[5])
    use_all_cores()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    measured = {"run": _run, "advance": _advance}[what]
    print(json.dumps(measured(folder, executor, workers)))


def write_page(work: Path) -> None:
    """Measure everything, print it as it comes, and write the page."""
    lines = [HEAD.format(machine=machine())]
    few = _project(work / "few", FEW, 1, FEW_EVENTS)
    many = _project(work / "many", MANY, DAYS, DAY_EVENTS)
    lines += _scaling(few)
    lines += _table(f"{FEW} symbols, {FEW_EVENTS:,} events each", few, REPEATS)
    title = f"{MANY} symbols, {DAYS} days of {DAY_EVENTS:,} events each"
    lines += _table(title, many, 1)
    PAGE.write_text("\n".join(lines) + "\n")


def _scaling(folder: Path) -> list[str]:
    """Return what the programs alone take on one thread and on two, tapes in memory."""
    taken = _child("advance", folder, "local", 2)
    said = (
        f"programs of {FEW} symbols, {FEW_EVENTS:,} events each, tapes in memory, the quickest of "
        f"{TURNS} turns: {taken['programs 1']:.2f} s on one thread, {taken['programs 2']:.2f} s on "
        f"two: {taken['programs 1'] / taken['programs 2']:.2f} ×; a plain loop without the "
        f"interpreter's lock in the same turns: {taken['loop 1'] / taken['loop 2']:.2f} ×"
    )
    print(said, flush=True)
    return [f"Compiled code alone: {said}.", ""]


def _table(title: str, folder: Path, repeats: int) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "| run | cores | wall | × | CPU | of workers | events/s | owner MB | worker MB |"
    yield "|---|---|---|---|---|---|---|---|---|"
    first, hashes = 0.0, set()
    for executor, workers, cores in CREWS:
        took = [_child("run", folder, executor, workers, cores) for _ in range(repeats)]
        best = min(took, key=lambda each: each["wall"])
        hashes |= {each["hash"] for each in took}
        first = first or best["wall"]
        row = (
            f"| {executor}, {workers} | {cores} | {best['wall']:.1f} | {first / best['wall']:.2f} "
            f"| {best['cpu']:.1f} | {best['workers_cpu']:.1f} "
            f"| {best['events'] / best['wall']:,.0f} | {best['mb']} | {best['worker_mb']} |"
        )
        print(f"{title} {row}", flush=True)
        yield row
    again = _child("again", folder, "local", 2)
    yield ""
    yield (
        f"All with the same tables: {'yes' if len(hashes) == 1 else 'NO'}. The same command again, "
        f"with nothing to do (local, 2): {again['wall']:.1f} s."
    )
    yield ""


def _child(
    what: str, folder: Path, executor: str, workers: int, cores: int = 2
) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if name not in THREADS}
    if what != "again":
        for name in ("db", "parquet", "state"):
            shutil.rmtree(folder / ".data" / name, ignore_errors=True)
    words = ["run" if what == "again" else what, str(folder), executor, str(workers), str(cores)]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.jobs.symbols", *words],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(ran.stdout.splitlines()[-1])


def _run(folder: Path, executor: str, workers: int) -> dict[str, object]:
    """Return what a whole run took."""
    from qf.engines.run import run_project
    from qf.project import open_project
    from qf.project.local_config import LocalEngine
    from qf.store.duck import Store

    project = open_project(folder)
    engines = (LocalEngine(executor, {"workers": workers}),)
    local = replace(project.local, executor=executor, engines=engines)
    wall, cpu = time.perf_counter(), time.process_time()
    result = run_project(replace(project, local=local))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    below = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Store(project.paths.database, project.name) as store:
        hashes = store.hashes()
    return {
        "wall": wall,
        "cpu": cpu,
        "workers_cpu": below.ru_utime + below.ru_stime,
        "events": sum(each.tape.rows for each in result.symbols),
        "mb": _peak_mb(),
        "worker_mb": below.ru_maxrss >> 10 if executor == "processes" else 0,
        "hash": json.dumps(hashes, sort_keys=True),
    }


def _peak_mb() -> int:
    """Return this process's own peak; that of `getrusage` holds its parent's too."""
    told = Path("/proc/self/status").read_text()
    (peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", told)
    return int(peak_kb) >> 10


def _advance(folder: Path, executor: str, workers: int) -> dict[str, float]:
    """Return how long the programs of all symbols take, on one thread and on so many, in turns."""
    from qf.compile import compile_kernels
    from qf.engines.sources import open_tape
    from qf.engines.symbol_plan import plan_symbol
    from qf.engines.symbol_run import BLOCK_ROWS
    from qf.project import open_project

    project = open_project(folder)
    work = []
    for symbol in project.symbols:
        tape = open_tape(project, symbol)
        planned = plan_symbol(project, tape.instrument, tape.continuity)
        compile_kernels(planned.plan.ops())
        work.append((planned.plan, list(tape.blocks(project.micro_batch_size))))
    day = make_day(EVENTS)
    loops = [Yardstick(day) for _ in range(2 * workers)]

    def programs() -> list[Call]:
        made = [(Program(plan, BLOCK_ROWS), blocks) for plan, blocks in work]
        return [partial(_push, *each) for each in made]

    def plain() -> list[Call]:
        return [partial(loop.run, *loop.book()) for _ in range(4) for loop in loops]

    best: dict[str, float] = {}
    for _ in range(TURNS):
        for name, calls in (("programs", programs), ("loop", plain)):
            for many in (1, workers):
                key, wall = f"{name} {many}", _wall(calls(), many)
                best[key] = min(wall, best.get(key, wall))
    return best


def _wall(calls: list[Call], many: int) -> float:
    """Return how long so many threads take to make all calls."""
    crew = [threading.Thread(target=_work, args=(calls,)) for _ in range(many)]
    begun = time.perf_counter()
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return time.perf_counter() - begun


def _work(calls: list[Call]) -> None:
    while True:
        try:
            call = calls.pop()
        except IndexError:
            return
        call()


def _push(program: Program, blocks: list[dict[str, np.ndarray]]) -> None:
    for block in blocks:
        program.advance(block)


def _project(folder: Path, symbols: int, days: int, events: int) -> Path:
    """Return a project whose tapes are in the cache already, as ingest would leave them."""
    from benchmarks.project import make_project
    from qf.engines.sources import sources_of
    from qf.project import open_project
    from qf.tape.draft import Draft
    from qf.tape.manifest import tape_key

    make_project(folder)
    names = ", ".join(f"S{number:03}USDT" for number in range(symbols))
    file = folder / "quantflow_project.yml"
    file.write_text(re.sub(r"symbols: .*", f"symbols: [{names}]", file.read_text()))
    project = open_project(folder)
    tapes = [_tape(days, events, seed) for seed in range(min(SEEDS, symbols))]
    for number, symbol in enumerate(project.symbols):
        fields = tapes[number % len(tapes)]
        sources, instrument = sources_of(project, symbol)
        key, identity = tape_key(sources, instrument)
        with Draft(project.paths.tape, key) as draft:
            for start in range(0, len(fields["seq"]), 1 << 17):
                draft.write({n: c[start : start + (1 << 17)] for n, c in fields.items()})
            draft.finish(
                {
                    "identity": identity,
                    "venue": instrument.venue,
                    "symbol": symbol,
                    "ordering": "arrival",
                    "continuity": "futures",
                    "trades": "trade",
                    "frames": int(fields["seq"][-1]) + 1,
                    "first_time": START_NS + LATENCY_NS,
                    "last_time": int(fields["processed_time"][-1]),
                    "accounts": {},
                }
            )
    return folder


def _tape(days: int, events: int, seed: int) -> dict[str, np.ndarray]:
    """Return the tape of some days, ids and ordinals going on from day to day."""
    parts, seq, trade, book = [], 0, 0, 0
    for day in range(days):
        fields = {name: column.copy() for name, column in make_day(events, seed).fields.items()}
        trades = fields["kind"] == TRADE
        for name in ("first_id", "last_id", "prev_id"):
            known = fields[name] != NULL_INT
            fields[name][known & trades] += trade
            fields[name][known & ~trades] += book
        for name in ("event_time", "venue_time", "processed_time"):
            fields[name][fields[name] != NULL_INT] += day * DAY_NS
        fields["seq"] += seq
        seq = int(fields["seq"][-1]) + 1
        trade = int(fields["last_id"][trades].max())
        book = int(fields["last_id"][~trades].max()) - FIRST_ID
        parts.append(fields)
    return {f.name: np.concatenate([part[f.name] for part in parts]) for f in TAPE}


if __name__ == "__main__":
    main()
