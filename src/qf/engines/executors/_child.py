"""A worker process: a job per line comes in, its progress and its answer go out, as lines of JSON.

It ends when its owner does: the end of its input ends it, in the middle of a job too.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from typing import BinaryIO


def main() -> None:
    """Do jobs until the input ends."""
    # What a library prints must not fall between the answers.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), daemon=True).start()
    from qf.engines.job import carry_out

    def report(stage: str, done: int, total: int, symbol: str) -> None:
        _say(out, {"progress": [stage, done, total, symbol]})

    while True:
        try:
            _say(out, {"answer": carry_out(jobs.get(), report)})
        except Exception as error:
            if os.environ.get("QF_TRACEBACK"):
                traceback.print_exc()
            _say(out, {"failure": f"{type(error).__name__}: {error}"})


def _read(jobs: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


def _say(out: BinaryIO, told: dict[str, object]) -> None:
    try:
        out.write(json.dumps(told).encode() + b"\n")
        out.flush()
    except BrokenPipeError:
        os._exit(0)  # nobody is there to be told


if __name__ == "__main__":
    main()
