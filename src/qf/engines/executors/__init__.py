"""Where the symbols of a run are computed: an executor is one file of this folder.

It defines one function, which opens a crew and ends it when the block is left, however it is left:

    @contextmanager
    def open_crew(options: Options, work: Work) -> Iterator[Crew]

A crew takes jobs (texts, see job.py) and yields them in their order, as what will have an answer.
`work` does a job in this process, whose rows may be taken while they are made. A job whose worker
died is done again by another, or its answer raises; a job may be done twice, its answer counts
once. Interrupting the iteration stops the work.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from qf.engines.row_stream import RowStream
from qf.errors import diagnostic, nearest

NO_EXECUTOR = diagnostic(
    "QF562",
    ".local_config.yml names the executor {name!r}, which does not exist",
    hint="there is: {known}",
)

Report = Callable[[str, int, int, str], None]  # stage, done, total, symbol
Work = Callable[[str, Report, RowStream], str]


class Waiting(Protocol):
    """The answer of a job under way."""

    def result(self) -> str:
        """Wait for it. Errors: those of the executor."""
        ...


@dataclass(frozen=True)
class Task:
    """A job under way; `stream` has what it makes, where that does not come with the answer."""

    answer: Waiting
    stream: RowStream | None = None


Crew = Callable[[Sequence[str]], Iterator[Task]]


@dataclass(frozen=True)
class Options:
    """What `.local_config.yml` says of an executor under `engine`, and whom to tell."""

    report: Report
    workers: int | None = None  # None: as many as this process has cores
    address: str = ""

    @property
    def count(self) -> int:
        """Return the number of workers."""
        return self.workers or cores()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def names() -> list[str]:
    """Return the executors there are."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_"))


def find(name: str) -> Callable[[Options, Work], AbstractContextManager[Crew]]:
    """Return what opens a crew of the executor. Errors: QF562."""
    known = names()
    if name not in known:
        raise NO_EXECUTOR(name=name, known=", ".join(known), near=nearest(name, known))
    return importlib.import_module(f"{__name__}.{name}").open_crew
