"""Peak memory of a batch run, and whether its time is linear: a tape of 200 M events, and shorter.

The tape is made and written block by block. Each run is a process of its own and does what a state
run does: reads the tape, runs the program, hashes every row, writes DuckDB and Parquet.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.day import long_blocks
from benchmarks.jobs.end_to_end import Stages, run_recorded
from benchmarks.peers import ROOT
from benchmarks.project import GROUPS, INSTRUMENT, make_project, plan_of, write_blocks
from benchmarks.timing import machine
from qf.tape.tape_file import open_tape

PAGE = ROOT / "benchmarks" / "memory.md"
EVENTS = 200_000_000
SHARES = (100, 10, 1)  # the runs: so much of the events

HEAD = """# Memory and length

`python -m benchmarks --only memory` rewrites this page. One symbol's tape, made block by block,
goes through the batch path: Parquet tape, program, row hashes, DuckDB and the Parquet files beside
it, with every column of the enriched trades, four kinds of bars and 20 levels every 500 ms. Each
run is a process of its own; the peak is its resident memory, libraries and kernels included.

Target: at most 1.5 GB whatever the length, time linear in events. Last run on: {machine}.

| events | peak MB | CPU s | ns per event | database MB | rows |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Be the process that is measured: run over a tape and print the figures as JSON."""
    events, folder = int(sys.argv[1]), Path(sys.argv[2])
    project = make_project(folder / "project")
    tape = open_tape(folder / "tape" / "day")
    planned = plan_of(project, GROUPS)
    begun = time.process_time()
    counts = run_recorded(project, tape, planned, folder / "out", Stages())
    spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = (folder / "out" / "ours.duckdb").stat().st_size
    rows = sum(counts.values())
    print(json.dumps({"events": tape.rows, "peak": peak, "cpu": spent, "size": size, "rows": rows}))
    assert tape.rows >= events


def run_once(events: int, folder: Path) -> dict[str, float]:
    """Make a tape of so many events, and return what a process of its own takes for it."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "out").mkdir(parents=True)
    write_blocks(long_blocks(events), folder / "tape")
    command = [sys.executable, "-m", "benchmarks.jobs.memory", str(events), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    shutil.rmtree(folder, ignore_errors=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def write_page(events: int | None, work: Path) -> None:
    """Run every length and rewrite the page."""
    text = HEAD.format(machine=machine())
    for share in SHARES:
        made = run_once((events or EVENTS) // share, work / "memory")
        per = 1e9 * made["cpu"] / made["events"]
        text += (
            f"| {made['events']:,} | {made['peak']:,.0f} | {made['cpu']:,.1f} | {per:,.0f} |"
            f" {made['size'] / 1e6:,.0f} | {made['rows']:,} |\n"
        )
        print(text.splitlines()[-1], flush=True)
    PAGE.write_text(text, encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)} ({INSTRUMENT.symbol})", file=sys.stderr)


if __name__ == "__main__":
    main()
