"""A session in the background: deployed, watched, killed, restarted, stopped; its numbers hold."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time

import pytest

from qf.live.deployed import LIVE, stop, told_status
from qf.project import open_project
from qf.store.live_files import LiveReader
from qf.store.read import Reader
from tests.live_session.conftest import follow, served

PATIENCE_S = 240
LONG = os.environ.get("QF_LONG") == "1"
RESTART_S = 10.0
FUTURES = [("binance_usdm", "BTCUSDT"), ("binance_coinm", "BTCUSD_PERP")][: 2 if LONG else 1]


@pytest.fixture(autouse=True)
def nothing_runs_on(live_project):
    yield
    with contextlib.suppress(Exception):
        stop(live_project, PATIENCE_S)


def wait_for(folder, wanted):
    """Return the first status that is as wanted."""
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(Exception):
            told = told_status(folder)
            own = told["status"] and told["session"]["worker"] == told["status"]["pid"]
            if own and wanted(told):
                return told
        assert time.monotonic() < until, told_status(folder)
        time.sleep(0.1)


def line_of(told):
    (line,) = told["status"]["engine"]["lines"].values()
    return line


def frames(told):
    return line_of(told)["frames"]


def is_valid(told):
    return line_of(told)["book"]["valid"]


def test_a_session_is_deployed_watched_killed_and_stopped(live_project, qf):
    deployed = qf("run", "--mode", "streaming", cwd=live_project)
    assert deployed.returncode == 0, deployed.stderr
    for said in ("project followed", "streaming", "ingest, state, feature", "Pipeline deployed"):
        assert said in deployed.stdout
    first = wait_for(live_project, lambda told: is_valid(told) and frames(told) > 100)

    asked = time.monotonic()
    second = qf("run", "--mode", "streaming", cwd=live_project)
    if LONG:  # on a machine of its own
        assert time.monotonic() - asked < 1.0
    owner = str(first["session"]["pid"])
    assert second.returncode == 3 and "QF610" in second.stderr and owner in second.stderr
    batch = qf("run", cwd=live_project)
    assert batch.returncode == 3 and "QF610" in batch.stderr

    seen = frames(first)
    os.kill(first["session"]["worker"], signal.SIGKILL)
    again = wait_for(
        live_project,
        lambda told: (
            told["session"]["restarts"] == 1 and is_valid(told) and frames(told) > seen + 100
        ),
    )
    assert again["session"]["pid"] == first["session"]["pid"]
    assert again["session"]["last_exit"] == "signal SIGKILL"

    shown = qf("pipeline", "status", cwd=live_project)
    assert shown.returncode == 0 and "BTCUSDT" in shown.stdout and "valid" in shown.stdout
    as_json = json.loads(qf("pipeline", "status", "--json", cwd=live_project).stdout)
    assert as_json["running"] and as_json["status"]["stages"]["ingest"]["health"] == "ok"
    written = qf("pipeline", "logs", cwd=live_project)
    assert "signal SIGKILL" in written.stdout and "connecting" in written.stdout

    assert qf("pipeline", "stop", cwd=live_project).returncode == 0
    over = qf("pipeline", "status", cwd=live_project)
    assert over.returncode == 1 and "stopped" in over.stdout
    assert qf("pipeline", "stop", cwd=live_project).returncode == 3

    ran = qf("run", cwd=live_project)
    assert ran.returncode == 0, ran.stderr
    check_live_equals_batch(live_project)


@pytest.mark.parametrize(("venue", "symbol"), FUTURES)
def test_a_futures_session_is_killed_and_its_numbers_hold(tmp_path, qf, venue, symbol):
    with served(venue, symbol) as addresses:
        folder = follow(tmp_path / "futures", venue, symbol, addresses)
        assert qf("run", "--mode", "streaming", cwd=folder).returncode == 0
        try:
            first = wait_for(folder, lambda told: is_valid(told) and frames(told) > 100)
            began = time.monotonic()
            os.kill(first["session"]["worker"], signal.SIGKILL)
            seen = frames(first)
            wait_for(folder, lambda told: is_valid(told) and frames(told) > seen + 100)
            elapsed = time.monotonic() - began
        finally:
            stop(folder, PATIENCE_S)
    if LONG:  # a machine of its own: the bound holds for a worker whose kernels are compiled
        assert elapsed <= RESTART_S, elapsed
    stages = told_status(folder)["status"]["stages"]
    assert {row["health"] for row in stages.values()} == {"stopped"}
    assert all(not row["reason"] for row in stages.values())
    ran = qf("run", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    check_live_equals_batch(folder)


def check_live_equals_batch(folder):
    project = open_project(folder)
    live = LiveReader(project.name, folder / LIVE / "tables")
    batch = Reader(project.paths.database, project.name, project.paths.parquet)
    found = {name: live.hash(name) for name in live.tables()}
    assert "cdm_trade_enriched" in found and "cdm_lob_l2" in found
    assert found == {name: batch.hash(name) for name in found}


def test_a_project_whose_feed_does_not_stream_is_told_the_next_step(tmp_path, qf):
    from qf.project.scaffold import draft_project, write_project

    folder = tmp_path / "still"
    write_project(folder, draft_project("still", "crypto"))
    asked = qf("run", "--mode", "streaming", cwd=folder)
    assert asked.returncode == 2 and "QF580" in asked.stderr
    assert "binance_spot_live" in asked.stderr


def test_a_worker_ends_when_its_supervisor_is_killed(live_project, qf):
    assert qf("run", "--mode", "streaming", cwd=live_project).returncode == 0
    told = wait_for(live_project, lambda told: frames(told) > 10)
    os.kill(told["session"]["pid"], signal.SIGKILL)
    until = time.monotonic() + PATIENCE_S
    while told_status(live_project)["running"] and time.monotonic() < until:
        time.sleep(0.1)
    after = told_status(live_project)
    assert not after["running"] and after["session"]["state"] == "killed"
    assert after["status"]["engine"]["state"] == "stopped"
