"""A session that runs in the background: start it, find it, stop it, read what it says.

    .data/project.lock           held by the supervisor (and its worker) as long as they live
    .data/live/supervisor.json   what the supervisor does: state, pids, restarts
    .data/live/status.json       what the worker says each second
    .data/live/log/*.log         what both write down

A pid alone proves nothing: a session is one whose supervisor is the process that holds the lock.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qf.clock import SECOND_NS, wall_ns
from qf.errors import QuantflowError, RunError, diagnostic
from qf.store.lock import LOCK_FILE, OWNED, is_held, owner

LIVE, LOGS = ".data/live", ".data/live/log"
SUPERVISOR, STATUS = "supervisor.json", "status.json"
DEPLOY_S = 20.0
STEP_S = 0.05

NOT_DEPLOYED = diagnostic(
    "QF586",
    "the session of {folder} did not start: {why}",
    RunError,
    "see what it wrote: qf pipeline logs",
)
NO_SESSION = diagnostic(
    "QF587", "no session of {folder} is running", RunError, "start one: qf run --mode streaming"
)
ELSEWHERE = diagnostic(
    "QF588",
    "the session of {folder} runs on {host}, process {pid}",
    RunError,
    "stop it there",
)
STILL_RUNNING = diagnostic(
    "QF589",
    "the session of {folder}, process {pid}, has not ended within {seconds:g} s",
    RunError,
    "look at qf pipeline logs; it may be ended by force, and its journal is safe: kill -9 {pid}",
)


def deploy(folder: Path, symbols: Sequence[str] = (), rewarm: bool = False) -> dict[str, Any]:
    """Start a supervisor in the background and return what it says once it owns the project.

    Errors: QF586, QF610 (another process owns it).
    """
    logs = folder / LOGS
    logs.mkdir(parents=True, exist_ok=True)
    listen, tell = os.pipe()
    command = [sys.executable, "-P", "-m", "qf.live.supervisor", str(folder), "--tell", str(tell)]
    command += ["--rewarm"] if rewarm else []
    try:
        with (logs / "supervisor.err").open("wb") as errors:
            process = subprocess.Popen(
                [*command, *symbols],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
                pass_fds=(tell,),
                cwd=folder,
            )
    finally:
        os.close(tell)
    told = _listen(listen)
    if told is None:
        raise NOT_DEPLOYED(folder=folder, why=f"process {process.pid} ended or said nothing")
    if "error" in told:
        raise _refused(folder, told)
    return told


def is_running(folder: Path) -> bool:
    """Say whether a session holds the project."""
    return _held(folder) and _supervisor(folder) is not None


def told_status(folder: Path) -> dict[str, Any]:
    """Return what supervisor and worker said last, and how old it is. Errors: QF587."""
    session, status = _read(folder / LIVE / SUPERVISOR), _read(folder / LIVE / STATUS)
    if session is None:
        raise NO_SESSION(folder=folder)
    running = is_running(folder)
    if not running and session["state"] not in ("stopped", "failed"):
        session["state"] = "killed"
    told_at = status["wall_ns"] if status else None
    age = None if told_at is None else round((wall_ns() - told_at) / SECOND_NS, 3)
    return {"running": running, "session": session, "age_s": age, "status": status}


def stop(folder: Path, seconds: float) -> None:
    """Ask the session to end and wait until it has. Errors: QF587-QF589."""
    pid = _supervisor(folder) if _held(folder) else None
    if pid is None:
        raise NO_SESSION(folder=folder)
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + seconds
    while _held(folder):
        if time.monotonic() > until:
            raise STILL_RUNNING(folder=folder, pid=pid, seconds=seconds)
        time.sleep(STEP_S)


def log_lines(folder: Path, count: int) -> list[str]:
    """Return the last lines of all logs, in the order in which they were written."""
    lines: list[str] = []
    for path in sorted((folder / LOGS).glob("*.log*")):
        group: list[str] = []
        for line in path.read_text(errors="replace").splitlines():
            if group and not line[:4].isdigit():
                group[-1] += "\n" + line  # a traceback belongs to the line above it
            else:
                group.append(line)
        lines += group
    return sorted(lines, key=lambda line: line[:24])[-count:]


def write_json(path: Path, told: dict[str, Any]) -> None:
    """Replace a small file, so that a reader sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(told, sort_keys=True))
    os.replace(draft, path)


def _listen(pipe: int) -> dict[str, Any] | None:
    """Return the one line that the supervisor says, or None where it says none in time."""
    import select

    with os.fdopen(pipe, "rb") as file:
        ready, _, _ = select.select([file], [], [], DEPLOY_S)
        line = file.readline() if ready else b""
    return json.loads(line) if line else None


def _refused(folder: Path, told: dict[str, Any]) -> QuantflowError:
    if told["error"] == OWNED.code:
        return OWNED(folder=folder, pid=told["pid"], host=told["host"], since=told["since"])
    return NOT_DEPLOYED(folder=folder, why=told["why"])


def _held(folder: Path) -> bool:
    return is_held(folder / ".data" / LOCK_FILE)


def _supervisor(folder: Path) -> int | None:
    """Return the pid of the session's supervisor if it is the lock's owner. Errors: QF588."""
    session = _read(folder / LIVE / SUPERVISOR)
    pid, host, _ = owner(folder / ".data" / LOCK_FILE)
    if session is None or pid != str(session["pid"]):
        return None
    if host != socket.gethostname():
        raise ELSEWHERE(folder=folder, host=host, pid=pid)
    return int(pid)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
