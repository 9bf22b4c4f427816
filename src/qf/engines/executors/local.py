"""Threads of this process: compiled kernels, Arrow and DuckDB let one another run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from qf.engines.executors import Crew, Options, Work
from qf.engines.executors._in_order import in_order


class Stopped(Exception):
    """End a job whose run has been given up."""


@contextmanager
def open_crew(options: Options, work: Work) -> Iterator[Crew]:
    """Yield a crew of threads."""
    stopped = threading.Event()

    def report(stage: str, done: int, total: int, symbol: str) -> None:
        if stopped.is_set():  # a job tells how far it is after every block
            raise Stopped
        options.report(stage, done, total, symbol)

    pool = ThreadPoolExecutor(options.count, "qf")
    try:
        yield lambda jobs: in_order(lambda job: pool.submit(work, job, report), jobs, options.count)
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)
