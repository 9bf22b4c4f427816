"""The demo's live half: the same definitions on a live feed, killed on the way, then checked.

1. a simulated exchange is served on the loopback, ten times as fast as life
2. a project of the same definitions, whose feed is that exchange, is deployed in the background
3. in the middle its worker is killed (SIGKILL); the supervisor starts another, which goes on from
   the last checkpoint and the journal behind it
4. the session is stopped, and a batch run computes the same project from the journal
5. every table of the session must equal that of the run, bit for bit
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qf.clock import wall_ns
from qf.engines.report_data import LiveFacts
from qf.engines.run import run_project
from qf.errors import QuantflowError, RunError, diagnostic
from qf.exchange.exchange import Exchange
from qf.exchange.server import ExchangeServer
from qf.exchange.settings import ExchangeSettings
from qf.live.deployed import LIVE, deploy, stop, told_status
from qf.live.real import need_network
from qf.project import open_project
from qf.project.scaffold import draft_project, write_project
from qf.store.live_files import LiveReader
from qf.store.read import Reader

NOT_EQUAL = diagnostic(
    "QF806",
    "the live session and the batch run over its journal differ in {tables}",
    RunError,
    "please report this, with the folder {folder}",
)
NO_LIFE = diagnostic(
    "QF807",
    "the demo's session did not come to {what} within {seconds:g} s",
    RunError,
    "see what it wrote: qf pipeline logs --project {folder}",
)

NAME, SYMBOL = "qf_demo_live", "BTCUSDT"
FEED = "binance_spot_live"
SEED, SPEED, INTENSITY = 7, 10.0, 30.0
LIFE_S, PATIENCE_S = 4.0, 60.0

Progress = Callable[[str, int, int, str], None]


@dataclass
class LiveResult:
    """What the session came to, beside the batch run over its journal."""

    folder: Path
    frames: int
    restarts: int
    latency_ms: dict[str, float]
    facts: LiveFacts

    def lines(self) -> list[str]:
        """Return the summary a person reads."""
        equal = sum(live == batch for _, _, live, batch in self.facts.tables)
        rows = sum(rows for _, rows, _, _ in self.facts.tables)
        return [
            f"live:    {self.facts.story}",
            f"parity:  {equal} of {len(self.facts.tables)} live tables equal batch, bit for bit "
            f"({rows:,} rows)",
        ]


def run_live(folder: Path, own_files: Path, progress: Progress) -> LiveResult:
    """Deploy a session in `folder`, kill its worker, stop it, and compare it with batch.

    Errors: QF585 (the packages of a live session are missing), QF806, QF807, those of a session.
    """
    need_network()
    shutil.rmtree(folder, ignore_errors=True)  # another demo's market had other ids
    with _served() as server:
        _write(folder, own_files, server)
        deploy(folder)
        try:
            told = _live(folder, progress)
        finally:
            with suppress(QuantflowError):
                stop(folder, PATIENCE_S)
    frames, restarts = _frames(told_status(folder)), told["session"]["restarts"]
    latency = told["status"]["stages"]["feature"].get("latency_ms", {})
    progress("parity", 0, 1, "")
    project = open_project(folder)
    run_project(project)
    live = LiveReader(project.name, folder / LIVE / "tables")
    batch = Reader(project.paths.database, project.name, project.paths.parquet)
    rows, others = live.tables(), batch.tables()
    tables = tuple(
        (name, rows[name], live.hash(name), batch.hash(name) if name in others else "missing")
        for name in sorted(rows)
    )
    progress("parity", 1, 1, "")
    story = f"{frames:,} frames, worker killed by SIGKILL and restarted {restarts} time(s)"
    if latency:
        story += f", frame to vector p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms"
    return LiveResult(folder, frames, restarts, latency, LiveFacts(story, tables))


def refuse_difference(result: LiveResult) -> None:
    """Raise where a table differs. Errors: QF806."""
    if not result.facts.equal:
        wrong = [name for name, _, live, batch in result.facts.tables if live != batch]
        raise NOT_EQUAL(
            tables=", ".join(wrong) or "nothing: no table was made", folder=result.folder
        )


def _live(folder: Path, progress: Progress) -> dict[str, Any]:
    """Watch the session live, die and live again; return how it stood at the end."""
    total = round(2 * LIFE_S)
    progress("live", 0, total, "")
    _wait(folder, "a valid book", _is_valid)
    _watch(0, total, progress)
    first = told_status(folder)
    os.kill(first["session"]["worker"], signal.SIGKILL)
    progress("live", total // 2, total, "kill -9")
    seen = _frames(first)
    again = "a valid book after the kill"
    _wait(folder, again, lambda told: _is_valid(told) and _frames(told) > seen)
    _watch(total // 2, total, progress)
    return told_status(folder)


def _watch(done: int, total: int, progress: Progress) -> None:
    for second in range(round(LIFE_S)):
        time.sleep(1.0)
        progress("live", min(done + second + 1, total), total, "")


def _wait(folder: Path, what: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with suppress(QuantflowError):
            told = told_status(folder)
            own = told["status"] and told["status"].get("pid") == told["session"]["worker"]
            if own and wanted(told):
                return
        time.sleep(0.1)
    raise NO_LIFE(what=what, seconds=PATIENCE_S, folder=folder)


def _line(told: dict[str, Any]) -> dict[str, Any]:
    return told["status"]["engine"]["lines"].get(SYMBOL, {})


def _is_valid(told: dict[str, Any]) -> bool:
    return bool(_line(told).get("book", {}).get("valid"))


def _frames(told: dict[str, Any]) -> int:
    return int(_line(told).get("frames", 0))


def _write(folder: Path, own_files: Path, server: ExchangeServer) -> None:
    """Write the demo's project with the exchange as its feed."""
    write_project(folder, draft_project(NAME, "crypto", own_files))
    feed = folder / ".definitions" / "feed_providers" / f"{FEED}.yml"
    feed.write_text(
        f"name: {FEED}\ndescription: The simulated exchange of the demo.\nkind: websocket\n"
        f'venue: binance_spot\nws_url: "{server.ws_url}"\nrest_url: "{server.url}"\n'
    )
    file = folder / "quantflow_project.yml"
    file.write_text(file.read_text().replace("[simulated_market]", f"[{FEED}]"))


@contextmanager
def _served() -> Iterator[ExchangeServer]:
    """Serve the exchange in a thread of its own while the context is open."""
    settings = ExchangeSettings(
        intensity=INTENSITY, start_ns=wall_ns(), latency_ms=0.0, jitter_ms=0.0, keep_truth=False
    )
    server = ExchangeServer(Exchange(settings, SEED), speed=SPEED)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="exchange", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(PATIENCE_S)
        yield server
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(PATIENCE_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()
