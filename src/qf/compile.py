"""Compile the kernels of a program, in several processes when there is much to do.

numba compiles with one thread at a time, so each further core gets a process of its own
(`python -m qf.compile`), which is told one kernel after the other and leaves them in the kernel
cache. Who is free takes the next, so all end together. What such a process fails
to do is done here, so nothing depends on it. It ends when its owner does.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue

from qf import kernel
from qf.machine import load_machine
from qf.op import Op, find

Progress = Callable[[str, int, int, str], None]

# A kernel takes about as long as its text is, and a new process a second before its first one.
WORTH_CHARACTERS = 12_000
MOST_PROCESSES = 4
POLL_SECONDS = 0.2
# -P: nothing is imported from the folder that the user stands in.
COMMAND = (sys.executable, "-P", "-m", "qf.compile")
REPLY = 1  # the owner reads what such a process puts out

_COMPILING = threading.Lock()  # the compiler and its cache take one thread at a time


def quiet(stage: str, done: int, total: int, symbol: str) -> None:
    """Tell nobody."""


def compile_kernels(ops: Iterable[Op], report: Progress = quiet) -> list[int]:
    """Compile what the cache lacks, telling how far it is, and return every kernel's address.

    Any thread may call it: a program that is made after it finds everything loaded.
    """
    asked = list(ops)
    with _COMPILING:
        missing = kernel.uncached(dict.fromkeys(asked))
        if missing:
            with _collector_held():
                _compile(missing, report)
        load_machine()
        return [kernel.address(op) for op in asked]


@contextmanager
def _collector_held() -> Iterator[None]:
    """Let no garbage be looked for: a kernel leaves a megabyte, and to look costs a tenth more."""
    held = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if held:
            gc.enable()


class Work:
    """The kernels to be compiled; each is taken once, by whoever is free.

    A process compiles a part of kernels once. So it takes what it has most parts of already, and
    that others have least of; where that is alike, the longest.
    """

    def __init__(self, missing: Iterable[Op]) -> None:
        """Keep a project's own ops for this process: another one does not know them."""
        ops = sorted(missing, key=_length, reverse=True)
        self._here = deque(op for op in ops if not op.module.startswith("qf."))
        self._anywhere = [op for op in ops if op.module.startswith("qf.")]
        self._has: dict[str, set[int]] = {}  # by the text of a part, the processes that have it
        self._taking = threading.Lock()

    def processes(self, cores: int) -> int:
        """Return how many processes beside this one are worth their start."""
        most = sum(map(_length, self._anywhere)) // WORTH_CHARACTERS
        return min(cores, MOST_PROCESSES, most + 1, max(1, len(self._anywhere))) - 1

    def take(self, process: int) -> Op | None:
        """Return the next kernel for a process, 0 for this one; None where none is left."""
        with self._taking:
            if process == 0 and self._here:
                return self._here.popleft()
            if not self._anywhere:
                return None
            op = max(self._anywhere, key=lambda each: self._at_home(each, process))
            self._anywhere.remove(op)
            for part in kernel.kernel_parts(op).values():
                self._has.setdefault(part, set()).add(process)
            return op

    def _at_home(self, op: Op, process: int) -> int:
        """Return how much of a kernel's parts a process has, less what only others have."""
        home = 0
        for part in kernel.kernel_parts(op).values():
            having = self._has.get(part, ())
            home += len(part) if process in having else -len(part) if having else 0
        return home


def _length(op: Op) -> int:
    return len(kernel.kernel_text(op))


def _compile(missing: Sequence[Op], report: Progress) -> None:
    """Compile every kernel of `missing`, with the help of other processes."""
    kernel.cache_folder()  # a cache that cannot be used is an error of this process
    work = Work(missing)
    with _processes(work.processes(_cores())) as running:
        tellers = [
            threading.Thread(target=_feed, args=(each, work, process))
            for process, each in enumerate(running, 1)
        ]
        for teller in tellers:
            teller.start()
        while op := work.take(0):
            _tell(missing, op, report)
            kernel.address(op)
        for teller in tellers:
            while teller.is_alive():
                left = kernel.uncached(missing)
                _tell(missing, left[0] if left else missing[-1], report)
                teller.join(POLL_SECONDS)
    for op in kernel.uncached(missing):
        _tell(missing, op, report)
        kernel.address(op)
    report("compile", len(missing), len(missing), "")


def _feed(process: subprocess.Popen[bytes], work: Work, number: int) -> None:
    """Tell a process one kernel after the other, until none is left or it has ended."""
    assert process.stdin is not None and process.stdout is not None
    while op := work.take(number):
        try:
            process.stdin.write(f"{op.family}/{op.name}\n".encode())
            process.stdin.flush()
        except (OSError, ValueError):  # it has ended, or the pipe was closed behind it
            return
        if not process.stdout.readline():
            return


def _tell(missing: Sequence[Op], op: Op, report: Progress) -> None:
    done = len(missing) - len(kernel.uncached(missing))
    report("compile", done, len(missing), op.name)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _processes(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Yield running processes; none outlives the block."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            running.append(
                subprocess.Popen(
                    COMMAND,
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            )
        yield running
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _read_names(into: SimpleQueue[str]) -> None:
    for line in sys.stdin.buffer:
        into.put(line.decode().strip())
    os._exit(1)  # the owner has ended, whatever is being compiled


def main() -> None:
    """Compile into the cache what the input names, line by line; end when the input ends."""
    gc.disable()
    names: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read_names, args=(names,), daemon=True).start()
    while True:
        family, op = names.get().split("/")
        kernel.address(find(op, family))
        os.write(REPLY, f"{op}\n".encode())


if __name__ == "__main__":
    main()
