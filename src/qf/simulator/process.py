"""A simulated process: the tasks that die together, and the error that death is.

A context variable carries the process from task to task, so everything that a session starts is
known to be its own. A kill closes those tasks where they stand. The seams of a dead process refuse
everything, so what `finally` clauses do on the way down leaves no trace.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar


class Killed(BaseException):
    """The process that made this call no longer exists."""


class Process:
    """One life of a program: its name, whether it lives, and its tasks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.tasks: dict[asyncio.Task[object], None] = {}

    def check(self) -> None:
        """Refuse to go on when the process is dead. Errors: Killed."""
        if not self.alive:
            raise Killed(self.name)

    def adopt(self, task: asyncio.Task[object]) -> None:
        """Count a task among those that die with the process."""
        self.tasks[task] = None
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[object]) -> None:
        self.tasks.pop(task, None)

    def bury(self) -> None:
        """Close every task where it stands; nothing that it still does can be seen outside."""
        self.alive = False
        for task in list(self.tasks):
            coroutine = task.get_coro()
            # A clause that awaits on the way down makes close() raise RuntimeError.
            with contextlib.suppress(BaseException):
                if coroutine is not None:
                    coroutine.close()
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.tasks.clear()


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
