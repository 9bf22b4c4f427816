"""A deployed session under load, over real sockets: `python -m benchmarks.live_load --seconds 300`.

1. the seeded market is recorded, and `qf replay` serves it on one core, so much faster than life
   that it sends the rate (the market itself would take more of a core than the session does)
2. `qf run --mode streaming` on the other: journal, book, four clocks, 15 features, Parquet
3. for so many seconds the session's own status is read: rate, queue, latency from frame to rows
4. the session is stopped (SIGSTOP) until a burst waits for it, and let go: how long it is drained
5. the session is stopped; `qf run` over its journal must account for every frame and every trade

Writes benchmarks/live_load.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers import ROOT
from benchmarks.timing import machine, resident_mib
from qf.project.scaffold import draft_project, write_project
from qf.testing.market.settings import NO_FAULTS, MarketSettings
from qf.testing.market.simulate import Market

FOLDER = ROOT / ".bench" / "work" / "live_load"
QF = [sys.executable, "-c", "from qf.cli.main import main; main()"]
PAGE = ROOT / "benchmarks" / "live_load.md"
FEED = "binance_spot_live"
CALM_S, PATIENCE_S = 10.0, 600.0


def qf(*words: str) -> str:
    """Run one command in the project and return what it printed."""
    done = subprocess.run([*QF, *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def recording(messages: int) -> tuple[Path, float]:
    """Write so many frames of a busy market to a file, once; return it and its frames a second."""
    path = FOLDER.parent / f"market_{messages}.raw"
    told = path.with_suffix(".seconds")
    if not told.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        market = Market(MarketSettings(intensity=200.0, faults=NO_FAULTS, keep_truth=False))
        began, written = market.now_ns, 0
        with path.open("wb") as file:
            while written < messages:
                lines = list(market.lines(60.0))
                file.writelines(lines)
                written += len(lines)
        told.write_text(f"{written} {(market.now_ns - began) / 1e9}")
    written, seconds = told.read_text().split()
    return path, int(written) / float(seconds)


@contextmanager
def exchange(path: Path, speed: float, core: int) -> Iterator[dict[str, str]]:
    """Serve a recording on a core of its own; yield its addresses."""
    command = [*QF, "replay", str(path), "--json", "--port", "0", "--speed", f"{speed:g}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, {core})
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        try:
            yield json.loads(text)
        finally:
            process.terminate()


def write(addresses: dict[str, str]) -> None:
    """Write the project: the template's clocks and features on the exchange's feed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    write_project(FOLDER, draft_project("live_load", "crypto"))
    (FOLDER / f".definitions/feed_providers/{FEED}.yml").write_text(
        f"name: {FEED}\nkind: websocket\nvenue: binance_spot\n"
        f'ws_url: "{addresses["ws_url"]}"\nrest_url: "{addresses["rest_url"]}"\n'
    )
    file = FOLDER / "quantflow_project.yml"
    file.write_text(file.read_text().replace("[simulated_market]", f"[{FEED}]"))


def told() -> dict[str, Any]:
    """Return the session's status."""
    return json.loads(qf("pipeline", "status", "--json"))


def wait_for_frames() -> None:
    """Return when the session computes, and has done so for a while."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        time.sleep(1.0)
        status = told()["status"]
        if status and status["engine"]["frames"] > 0:
            time.sleep(CALM_S)
            return
    raise SystemExit("the session computed nothing; see qf pipeline logs")


def watch(seconds: float) -> list[dict[str, float]]:
    """Return what the session said, every five seconds."""
    rows, until, last = [], time.monotonic() + seconds, None
    while time.monotonic() < until:
        time.sleep(5.0)
        status = told()
        engine = status["status"]["engine"]
        now = (status["status"]["wall_ns"], engine["frames"])
        if last is not None:
            rows.append(
                {
                    "rate": (now[1] - last[1]) / max(1, now[0] - last[0]) * 1e9,
                    "queue": engine["queue"]["frames"],
                    "p50": engine["latency_ms"]["p50"],
                    "p99": engine["latency_ms"]["p99"],
                    "seconds": now[0] / 1e9,
                    **{f"whole {name}": ms for name, ms in engine["latency_whole_ms"].items()},
                    "mib": resident_mib(status["session"]["worker"]),
                }
            )
            print({name: round(value, 1) for name, value in rows[-1].items()}, file=sys.stderr)
        last = now
    return rows


def burst(messages: int, rate: float) -> tuple[int, float]:
    """Hold the session back until so many messages wait; return how many came, in what time."""
    status = told()
    before, pid = status["status"]["engine"]["frames"], status["session"]["worker"]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(messages / rate)
    os.kill(pid, signal.SIGCONT)
    began = time.monotonic()
    while True:
        time.sleep(0.5)
        engine = told()["status"]["engine"]
        came = engine["frames"] - before
        if came >= messages or time.monotonic() - began > 120:
            return came, time.monotonic() - began


def main() -> None:
    """Deploy, watch, burst, stop, account, write the page."""
    parser = argparse.ArgumentParser(description="a deployed session under load")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--rate", type=float, default=20_000.0)
    parser.add_argument("--burst", type=int, default=100_000)
    given = parser.parse_args()
    messages = round(given.rate * (given.seconds + 3 * CALM_S) + 2 * given.burst)
    path, pace = recording(messages)
    with exchange(path, given.rate / pace, 0) as addresses:
        write(addresses)
        os.sched_setaffinity(0, {1})  # the session inherits it
        qf("run", "--mode", "streaming")
        try:
            wait_for_frames()
            rows = watch(given.seconds)
            rate = sum(row["rate"] for row in rows) / len(rows)
            came, drained = burst(given.burst, rate)
        finally:
            os.sched_setaffinity(0, {0, 1})
            stopped = qf("pipeline", "stop")
    print(stopped, file=sys.stderr)
    ran = qf("run")
    account = [line.strip() for line in ran.splitlines() if line.strip().startswith("trade:")]
    lines = page(rows, rate, (came, drained), account)
    PAGE.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def page(
    rows: list[dict[str, float]], rate: float, drained: tuple[int, float], account: list[str]
) -> list[str]:
    """Return the page."""
    last = rows[-1]
    return [
        "# A deployed session under load",
        "",
        "`python -m benchmarks.live_load` writes this page: one core serves a recorded market over",
        "real sockets, a deployed session on the other computes four bar clocks and 15 features,",
        "with its journal synced and its Parquet files written.",
        "",
        f"Last run on: {machine()}.",
        "",
        "| what | measured |",
        "|---|---|",
        f"| seconds | {last['seconds'] - rows[0]['seconds']:.0f} |",
        f"| messages per second, mean | {rate:,.0f} |",
        f"| frame to rows, all frames, p50 | {last['whole p50']:.0f} ms |",
        f"| frame to rows, all frames, p99 | {last['whole p99']:.0f} ms |",
        f"| frame to rows, the longest | {last['whole longest']:.0f} ms |",
        f"| queue, deepest of the looks | {max(row['queue'] for row in rows):,.0f} |",
        f"| memory of the worker | {rows[0]['mib']:.0f} MiB, then {last['mib']:.0f} |",
        f"| a burst of {drained[0]:,} messages was computed in | {drained[1]:.1f} s |",
        f"| trades, by `qf run` over the journal | {'; '.join(account)} |",
    ]


if __name__ == "__main__":
    main()
