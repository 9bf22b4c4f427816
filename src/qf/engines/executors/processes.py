"""Processes of this machine: for work that holds the interpreter, such as reading captures.

A thread of the owner stands for each process: it hands over a job and reads what comes back. A
process that dies takes one job with it, which a new process does again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import IO, cast

from qf.engines.executors import Crew, Options, Report, Task, Work
from qf.engines.executors._in_order import in_order
from qf.errors import RunError, diagnostic

ATTEMPTS = 3
DIED = diagnostic(
    "QF563",
    "the worker process of {symbol} ended {times} times before it had an answer, last with {how}",
    RunError,
    "is there enough memory? fewer workers take less: engine processes in .local_config.yml",
)
FAILED = diagnostic(
    "QF564",
    "{symbol}: an unexpected failure in a worker process: {what}",
    RunError,
    "this is a defect: run again with QF_TRACEBACK=1 and report what it prints",
)
# -P: nothing is imported from the folder that the user stands in.
COMMAND = (sys.executable, "-P", "-m", "qf.engines.executors._child")


@contextmanager
def open_crew(options: Options, work: Work) -> Iterator[Crew]:
    """Yield a crew of processes, which begin with their first job."""
    crew = _Processes(options.report)
    pool = ThreadPoolExecutor(options.count, "qf")
    try:
        yield lambda jobs: in_order(
            lambda job: Task(pool.submit(crew.ask, job)), jobs, options.count
        )
    finally:
        crew.stop()
        pool.shutdown(cancel_futures=True)


class _Processes:
    """The processes, one for each thread that asks."""

    def __init__(self, report: Report) -> None:
        self._report, self._lock, self._stopped = report, threading.Lock(), False
        self._idle: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []

    def ask(self, job: str) -> str:
        """Return a job's answer. Errors: QF563, QF564."""
        how = ""
        for _ in range(ATTEMPTS):
            child = self._take()
            answer = self._hand_over(child, job)
            if answer is not None:
                with self._lock:
                    self._idle.append(child)
                return answer
            how = _ending(child)
        raise DIED(symbol=json.loads(job)["symbol"], times=ATTEMPTS, how=how)

    def stop(self) -> None:
        """End every process, in the middle of a job too."""
        with self._lock:
            self._stopped = True
            for child in self._all:
                child.kill()
        for child in self._all:
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with suppress(BrokenPipeError):  # a job may be half written to a process just ended
                    cast(IO[bytes], pipe).close()

    def _take(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            # A session of its own: Ctrl-C reaches the owner alone, who ends the processes.
            child = subprocess.Popen(
                COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
            self._all.append(child)
            if self._stopped:
                child.kill()
            return child

    def _hand_over(self, child: subprocess.Popen[bytes], job: str) -> str | None:
        """Return the answer, or None where the process died."""
        try:
            stdin, stdout = cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
            stdin.write(job.encode() + b"\n")
            stdin.flush()
            for line in stdout:
                if not line.endswith(b"\n"):
                    return None  # it died while it wrote
                told = json.loads(line)
                if "answer" in told:
                    return told["answer"]
                if "failure" in told:
                    raise FAILED(symbol=json.loads(job)["symbol"], what=told["failure"])
                self._report(*told["progress"])
        except (BrokenPipeError, ValueError):
            return None
        return None


def _ending(child: subprocess.Popen[bytes]) -> str:
    code = child.wait()
    return f"signal {-code}" if code < 0 else f"exit code {code}"
