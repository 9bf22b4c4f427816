"""An asyncio loop whose time is virtual: it never waits, and its order is decided.

1. what is ready runs, in the order in which it became ready
2. when nothing is ready, time jumps to the earliest timer; timers of one instant fire in the order
   in which they were set
3. when there is no timer either, nothing can ever happen again: that is an error, named as such

There is no selector, no socket and no thread: whoever asks for one is refused. Tasks and futures
hash by the order in which they were made, so that sets of them are walked in the same order in
every run.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextvars import Context, copy_context
from typing import Any, TypeVar

from qf.errors import RunError, diagnostic
from qf.simulator.process import PROCESS, Killed, Process

T = TypeVar("T")
AnyCoroutine = Coroutine[Any, Any, T] | Generator[Any, None, T]

NO_THREADS = diagnostic(
    "QF870",
    "simulated code asked the loop for {what}, which would make two runs of one seed differ",
    RunError,
    "do the work in a task, or behind a seam of World",
)
ASLEEP = diagnostic(
    "QF871",
    "nothing is left to happen at virtual second {at:.3f}: no task is ready and no timer is set",
    RunError,
    "a task waits for something that nobody will bring about",
)


class _Future(asyncio.Future[Any]):
    """A future whose place in sets is decided."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class _Task(asyncio.Task[Any]):
    """A task whose place in sets is decided."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class _Handle(asyncio.Handle):
    """A callback that waits: asyncio's, without what only its debug mode needs."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., object],
        args: Sequence[Any],
        loop: VirtualLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop, self._callback, self._args = loop, callback, args
        self._cancelled, self._repr, self._source_traceback = False, None, None

    def cancel(self) -> None:
        """Never run the callback."""
        if not self._cancelled:
            self._cancelled = True
            self._callback, self._args = None, ()


class _Timer(asyncio.TimerHandle):
    """A callback that waits for its time; cancelled, it is passed over when that comes."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Sequence[Any],
        loop: VirtualLoop,
        context: Context | None,
    ) -> None:
        _Handle.__init__(self, callback, args, loop, context)  # type: ignore[arg-type]
        self._when, self._scheduled = when, False

    def cancel(self) -> None:
        """Never run the callback."""
        _Handle.cancel(self)  # type: ignore[arg-type]


class VirtualLoop(asyncio.AbstractEventLoop):
    """Run tasks and timers under virtual time; `complaints` collects errors that nobody took."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._made = 0
        self._running = False
        self._stopped = False
        self._closed = False
        self._doomed: list[Process] = []
        self.handled = 0
        self.complaints: list[str] = []

    # --- time -----------------------------------------------------------------------------------

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._now

    def block(self, seconds: float) -> None:
        """Let time pass while the running callback holds the thread, as a slow disk does."""
        self._now += seconds

    # --- what asyncio asks of a loop ------------------------------------------------------------

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback after those that are ready now."""
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback after so many virtual seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at a virtual instant."""
        handle = _Timer(when, callback, args, self, context)
        self._made += 1
        heapq.heappush(self._timers, (when, self._made, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        future = _Future(loop=self)
        self._made += 1
        future.number = self._made
        return future

    def create_task(
        self, coro: AnyCoroutine[T], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Return a task; it belongs to the process of whoever made it."""
        task: Any = _Task(coro, loop=self, name=name, context=context)
        self._made += 1
        task.number = self._made
        process = context.get(PROCESS) if context is not None else PROCESS.get()
        if process is not None:
            process.adopt(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Collect what nobody took; the error of a killed process is none."""
        error = context.get("exception")
        if not isinstance(error, Killed):
            self.complaints.append(f"{context.get('message')}: {error!r}")

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Collect it too."""
        self.call_exception_handler(context)

    def get_debug(self) -> bool:
        """Say no: the loop is deterministic, asyncio's own checks are not needed."""
        return False

    def is_running(self) -> bool:
        """Say whether the loop runs."""
        return self._running

    def is_closed(self) -> bool:
        """Say whether the loop was closed."""
        return self._closed

    def stop(self) -> None:
        """Return from `run_until` after what is ready now."""
        self._stopped = True

    def close(self) -> None:
        """Drop everything that is left."""
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave a cancelled timer where it is: it is passed over when its time comes."""

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Refuse: threads run in no order. Errors: QF870."""
        raise NO_THREADS(what="a thread")

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Refuse: there are no threads. Errors: QF870."""
        raise NO_THREADS(what="a call from another thread")

    async def create_connection(self, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        """Refuse: the network is a seam. Errors: QF870."""
        raise NO_THREADS(what="a socket")

    # --- processes ------------------------------------------------------------------------------

    def spawn(self, process: Process, main: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a process with its main task."""
        context = copy_context()
        context.run(PROCESS.set, process)
        return self.create_task(main, context=context)

    def doom(self, process: Process) -> None:
        """Kill a process as soon as the running callback returns; its seams refuse at once."""
        process.alive = False
        if not self._running:
            self.kill(process)
        elif process not in self._doomed:
            self._doomed.append(process)

    def kill(self, process: Process) -> None:
        """Drop everything that a process has ready, waiting or timed, now."""
        process.bury()
        ready = [handle for handle in self._ready if not _belongs(handle, process)]
        self._ready.clear()
        self._ready.extend(ready)
        self._timers[:] = [entry for entry in self._timers if not _belongs(entry[2], process)]
        heapq.heapify(self._timers)

    # --- running --------------------------------------------------------------------------------

    def run_until(self, seconds: float) -> None:
        """Run everything up to a virtual instant, which time has then reached."""
        self._enter()
        try:
            while not self._stopped and self._step(seconds):
                pass
            if not self._stopped:
                self._now = max(self._now, seconds)
        finally:
            self._leave()

    def run_until_complete(self, future: Any) -> Any:
        """Run until a task is done and return its result. Errors: QF871, and the task's own."""
        task = asyncio.ensure_future(future, loop=self)
        self._enter()
        try:
            while not task.done():
                if not self._step(float("inf")) and not task.done():
                    raise ASLEEP(at=self._now)
        finally:
            self._leave()
        return task.result()

    def pending(self) -> tuple[int, int]:
        """Return how many callbacks are ready and how many timers are set."""
        return len(self._ready), sum(not entry[2].cancelled() for entry in self._timers)

    def _enter(self) -> None:
        self._running, self._stopped = True, False
        self._outer = events._get_running_loop()
        events._set_running_loop(self)

    def _leave(self) -> None:
        self._running = False
        events._set_running_loop(self._outer)

    def _step(self, until: float) -> bool:
        """Run what is ready, or else what comes next; False when nothing comes until then."""
        timers, ready = self._timers, self._ready
        if not ready:
            while timers and timers[0][2]._cancelled:
                heapq.heappop(timers)
            if not timers or timers[0][0] > until:
                return False
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            handle = heapq.heappop(timers)[2]
            if not handle._cancelled:
                ready.append(handle)
        for _ in range(len(ready)):
            if not ready:  # a kill took what was left
                break
            handle = ready.popleft()
            self.handled += 1
            if not handle._cancelled:
                handle._run()
            while self._doomed:
                self.kill(self._doomed.pop())
        return True


def _belongs(handle: asyncio.Handle, process: Process) -> bool:
    context: Any = handle._context  # type: ignore[attr-defined]
    return context is not None and context.get(PROCESS) is process
