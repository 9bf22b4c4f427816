"""Compile the kernels of a program, in several processes when there is much to do.

numba compiles with one thread at a time, so the share of each further core goes to a process of its
own (`python -m qf.compile FAMILY/NAME …`), which leaves its work in the kernel cache. What
such a process fails to do is done here, so nothing depends on it. It ends when its owner does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from qf import kernel
from qf.machine import load_machine
from qf.op import Op, find

Progress = Callable[[str, int, int, str], None]

# A kernel takes about as long as its text is, and a new process a second before its first one.
FIXED_CHARACTERS = 1_000
WORTH_CHARACTERS = 12_000
MOST_PROCESSES = 4
POLL_SECONDS = 0.2
# -P: nothing is imported from the folder that the user stands in.
COMMAND = (sys.executable, "-P", "-m", "qf.compile")

_COMPILING = threading.Lock()  # the compiler and its cache take one thread at a time


def quiet(stage: str, done: int, total: int, symbol: str) -> None:
    """Tell nobody."""


def compile_kernels(ops: Iterable[Op], report: Progress = quiet) -> list[int]:
    """Compile what the cache lacks, telling how far it is, and return every kernel's address.

    Any thread may call it: a program that is made after it finds everything loaded.
    """
    asked = list(ops)
    with _COMPILING:
        missing = [op for op in dict.fromkeys(asked) if not kernel.is_cached(op)]
        if missing:
            _compile(missing, report)
        load_machine()
        return [kernel.address(op) for op in asked]


def shares(missing: Sequence[Op], processes: int) -> list[list[Op]]:
    """Return the kernels each process compiles, this one first, about as much work in each.

    A project's own ops stay here: another process does not know them.
    """
    parts: list[list[Op]] = [[] for _ in range(processes)]
    work = [0] * processes
    for op in sorted(missing, key=_work, reverse=True):
        ours = not op.module.startswith("qf.")
        place = 0 if ours else work.index(min(work))
        parts[place].append(op)
        work[place] += _work(op)
    worth = [part for part, size in zip(parts[1:], work[1:], strict=True) if _is_worth(size)]
    kept = [op for part in parts[1:] if part not in worth for op in part]
    return [parts[0] + kept, *worth]


def _is_worth(characters: int) -> bool:
    return characters >= WORTH_CHARACTERS


def _work(op: Op) -> int:
    return FIXED_CHARACTERS + len(kernel.kernel_text(op))


def _compile(missing: Sequence[Op], report: Progress) -> None:
    """Compile every kernel of `missing`, with the help of other processes."""
    kernel.cache_folder()  # a cache that cannot be used is an error of this process
    own, *others = shares(missing, min(_cores(), MOST_PROCESSES, len(missing)))
    with _processes(others) as running:
        for op in own:
            _tell(missing, op, report)
            kernel.address(op)
        for process in running:
            while process.poll() is None:
                left = [op for op in missing if not kernel.is_cached(op)]
                _tell(missing, left[0] if left else missing[-1], report)
                try:
                    process.wait(POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
    for op in missing:
        if not kernel.is_cached(op):
            _tell(missing, op, report)
            kernel.address(op)
    report("compile", len(missing), len(missing), "")


def _tell(missing: Sequence[Op], op: Op, report: Progress) -> None:
    report("compile", sum(map(kernel.is_cached, missing)), len(missing), op.name)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _processes(parts: Sequence[Sequence[Op]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Yield a running process per part; none outlives the block."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for part in parts:
            names = [f"{op.family}/{op.name}" for op in part]
            running.append(
                subprocess.Popen(
                    [*COMMAND, *names],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        yield running
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _end_with_owner() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def main(names: Sequence[str]) -> None:
    """Compile the named kernels into the cache; end when the input ends."""
    threading.Thread(target=_end_with_owner, daemon=True).start()
    for name in names:
        family, op = name.split("/")
        kernel.address(find(op, family))


if __name__ == "__main__":
    main(sys.argv[1:])
