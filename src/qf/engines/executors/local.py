"""Threads of this process: compiled kernels, Arrow and DuckDB let one another run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from qf.engines.executors import Crew, Options, Task, Work
from qf.engines.executors._in_order import in_order
from qf.engines.row_stream import ROOM_BYTES, Room, RowStream, Stopped


@contextmanager
def open_crew(options: Options, work: Work) -> Iterator[Crew]:
    """Yield a crew of threads."""
    room = Room(options.count * ROOM_BYTES)

    def report(stage: str, done: int, total: int, symbol: str) -> None:
        if room.stopped:  # a job tells how far it is after every block
            raise Stopped
        options.report(stage, done, total, symbol)

    def do(job: str, stream: RowStream) -> str:
        try:
            return work(job, report, stream)
        finally:
            stream.end()

    def start(job: str) -> Task:
        stream = RowStream(room)
        return Task(pool.submit(do, job, stream), stream)

    pool = ThreadPoolExecutor(options.count, "qf")
    try:
        yield lambda jobs: in_order(start, jobs, options.count)
    finally:
        room.stop()
        pool.shutdown(cancel_futures=True)
