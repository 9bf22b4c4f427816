"""The process that owns a streaming project: it keeps one worker running until it is told to stop.

1. take the project's lock; whoever started us is told so, or who has it
2. run the worker; it inherits the lock, so that the project stays owned while either lives
3. a worker that crashed is started again, later each time; one that says it cannot run is not
4. SIGTERM or SIGINT: the worker is asked to end, computes what came, and both are gone

It imports nothing heavy, so that it can hardly fail itself. If it is killed all the same, the
worker sees its pipe closed and ends in order.
"""

from __future__ import annotations

import argparse
import json
import logging
import logging.handlers
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from qf.clock import wall_ns
from qf.errors import QuantflowError
from qf.live.backoff import Backoff
from qf.live.deployed import LIVE, LOGS, SUPERVISOR, write_json
from qf.store.lock import LOCK_FILE, OWNED, owner, project_lock

LOG_BYTES, LOG_FILES = 5 << 20, 3
CANNOT_RUN = (1, 2, 4)  # exit codes of a worker that would fail again in the same way
STEADY_S = 60.0
WORKER_ENDS_S = 300.0
LINE = "%(asctime)s.%(msecs)03dZ %(levelname)s supervisor: %(message)s"

log = logging.getLogger("qf.live.supervisor")


class Supervisor:
    """One project's worker, over and over."""

    def __init__(self, folder: Path, worker: list[str], lock: int) -> None:
        """Take the folder, the worker's own words, and the descriptor of the lock."""
        self.folder, self._words, self._lock = folder, worker, lock
        self._stopping = threading.Event()
        self._backoff = Backoff(random.SystemRandom(), first_s=0.5, cap_s=60.0, steady_s=STEADY_S)
        self._process: subprocess.Popen[bytes] | None = None
        self.told = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since_ns": wall_ns(),
            "state": "starting",
            "worker": None,
            "restarts": 0,
            "last_exit": "",
        }

    def ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        """End the worker, and then this process: a handler of signals."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def run(self) -> int:
        """Keep the worker running; return the exit code."""
        while not self._stopping.is_set():
            began = time.monotonic()
            code = self._run_worker()
            self._backoff.held(time.monotonic() - began)
            if self._stopping.is_set() or code == 0:
                break
            if code in CANNOT_RUN:
                self._tell("failed", last_exit=_how(code))
                log.error("the worker cannot run (%s); see worker.log", _how(code))
                return code
            wait = self._backoff.next()
            log.warning("the worker ended: %s; the next one starts in %.1f s", _how(code), wait)
            restarts = int(str(self.told["restarts"])) + 1
            self._tell("restarting", last_exit=_how(code), restarts=restarts)
            self._stopping.wait(wait)
        self._tell("stopped")
        log.info("stopped")
        return 0

    def _run_worker(self) -> int:
        alive, end = os.pipe()  # the worker reads it: its end is ours
        command = [sys.executable, "-P", "-m", "qf.live.worker", str(self.folder)]
        errors = (self.folder / LOGS / "worker.err").open("wb")
        try:
            with errors:
                process = subprocess.Popen(
                    [*command, "--alive", str(alive), *self._words],
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    pass_fds=(alive, self._lock),
                    cwd=self.folder,
                )
            os.close(alive)
            self._process = process
            if self._stopping.is_set():
                process.send_signal(signal.SIGTERM)
            self._tell("running", worker=process.pid)
            log.info("worker %d started", process.pid)
            return self._wait(process)
        finally:
            os.close(end)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """Return the worker's exit code; one that does not end when asked is ended by force."""
        asked: float | None = None
        while True:
            try:
                return process.wait(0.2)
            except subprocess.TimeoutExpired:
                if not self._stopping.is_set():
                    continue
            asked = asked or time.monotonic()
            if time.monotonic() - asked > WORKER_ENDS_S:
                log.error("worker %d does not end; it is killed, its journal is safe", process.pid)
                process.kill()

    def _tell(self, state: str, **more: object) -> None:
        self.told.update(more, state=state)
        write_json(self.folder / LIVE / SUPERVISOR, self.told)


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _write_logs(folder: Path) -> None:
    path = folder / LOGS / "supervisor.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    form = logging.Formatter(LINE, "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    handler.setFormatter(form)
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def main(words: list[str]) -> int:
    """Own the project, say so, supervise. Errors end in the answer to whoever started us."""
    parser = argparse.ArgumentParser(prog="qf.live.supervisor")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tell", type=int, required=True)
    parser.add_argument("--rewarm", action="store_true")
    parser.add_argument("symbols", nargs="*")
    given = parser.parse_args(words)
    worker = [*(["--rewarm"] if given.rewarm else []), *given.symbols]
    with os.fdopen(given.tell, "w") as answer:
        try:
            _write_logs(given.folder)
            with project_lock(given.folder, wall_ns()) as lock:
                supervisor = Supervisor(given.folder, worker, lock)
                for number in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(number, supervisor.ask_to_stop)
                supervisor._tell("starting")
                answer.write(json.dumps(supervisor.told) + "\n")
                answer.close()
                return supervisor.run()
        except QuantflowError as error:
            answer.write(json.dumps(_told(given.folder, error)) + "\n")
            return error.exit_code


def _told(folder: Path, error: QuantflowError) -> dict[str, str]:
    told = {"error": error.code, "why": error.sentence}
    if error.code == OWNED.code:
        told["pid"], told["host"], told["since"] = owner(folder / ".data" / LOCK_FILE)
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
