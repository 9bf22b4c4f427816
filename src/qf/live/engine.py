"""The heart of a live session: queue, journal, lines, sinks, checkpoints.

1. frames that wait go to the journal together; one sync makes them durable          journal.py
2. only then do the lines compute from them, and the rows go to the sinks            line.py, sinks/
3. frames decide where an epoch ends: files end there, the state is copied there, and when all of
   that epoch's rows are durable the copy becomes a checkpoint                       epochs.py
4. at a start the newest checkpoint is restored, and the journal behind it runs again recovery.py

A failure of the journal, or of a sink for more than a few epochs, stops the engine: what is durable
stays, what was handed out was durable, and the next start computes the rest again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, Protocol

from qf.errors import QuantflowError, RunError, diagnostic
from qf.live import checkpoint
from qf.live.cross_line import CROSS, CrossLine
from qf.live.epochs import EPOCH_FRAMES, PERIOD_SECONDS, Epochs
from qf.live.ingress import MOST_BYTES, MOST_FRAMES, Ingress
from qf.live.line import BookState, Line
from qf.live.meter import Meter
from qf.live.recovery import recover
from qf.live.route import Router
from qf.project.model import Project
from qf.schema import NULL_INT
from qf.seams import World
from qf.sinks.sink import Job, Lost, Outside, Sink, open_sink
from qf.tape.journal import SEGMENT_BYTES, Frame, Journal, note_of

JOURNAL_FAILED = diagnostic(
    "QF595",
    "the session stopped: the journal cannot be written: {why}",
    RunError,
    "make room or mend the disk, then start again; nothing that was handed out is lost",
)
SINK_FAILED = diagnostic(
    "QF596",
    "the session stopped: the sink {sink} cannot be written: {why}",
    RunError,
    "mend it, then start again: the journal holds everything, and the rows are made again",
)
DISK_LOW = diagnostic(
    "QF597",
    "the session stopped: only {free:,} bytes are free, and {least:,} are kept in reserve",
    RunError,
    "make room, then start again",
)

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Settings:
    """What steers an engine; none of it changes a number."""

    epoch_frames: int = EPOCH_FRAMES
    epoch_seconds: float = PERIOD_SECONDS
    commit_seconds: float = 0.004  # frames gather so long before they are synced together
    group_frames: int = 1_024
    queue_frames: int = MOST_FRAMES
    queue_bytes: int = MOST_BYTES
    show_seconds: float = 5.0  # so often the rows of the epoch in hand are shown
    segment_bytes: int = SEGMENT_BYTES  # of the journal
    late_epochs: int = 2  # so many may wait for a sink that is down
    least_free_bytes: int = 256 << 20
    rewarm: bool = False  # compute the state again where the checkpoint is of something else


class Witness(Protocol):
    """Who looks on while an engine runs, and changes nothing: the simulator's oracles."""

    def offered(self, frame: Frame) -> None:
        """Hear of a frame that the queue took."""
        ...

    def conflated(self, symbol: str, stream: str) -> None:
        """Hear of a frame that the full queue made one drop."""
        ...

    def computed(self, line: Line) -> None:
        """Hear of a line that has taken frames; its book is as they left it."""
        ...


class Engine:
    """All symbols of one session. `offer` frames while `run` runs; the world's disk is its folder.

    Errors of `recover` and `run`: QF340, QF341, QF59x.
    """

    def __init__(
        self,
        world: World,
        project: Project,
        settings: Settings | None = None,
        symbols: Iterable[str] | None = None,
        output: Callable[[bytes], None] | None = None,
        start: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Wire every symbol; `start` gives symbols the state that a batch run ended with."""
        self.world, self.project = world, project
        self.settings = settings or Settings()
        outside = Outside(world.disk, project.name, output)
        self.sinks = _sinks(project, outside)
        chosen = list(symbols or project.symbols)
        self.cross = CrossLine(project, chosen, self.sinks)
        taps = [*self.sinks, *self.cross.taps]
        self.lines = {symbol: Line(project, symbol, taps) for symbol in chosen}
        for symbol, state in (start or {}).items():
            (self.cross if symbol == CROSS else self.lines[symbol]).begin(state)
        self.epochs = Epochs(self.settings.epoch_frames, self.settings.epoch_seconds)
        self.ingress = Ingress(self.settings.queue_frames, self.settings.queue_bytes)
        self.meter = Meter(world.clock)
        self.journal: Journal | None = None
        self.notes: list[str] = []  # what the user should know, in sentences
        self.state = "new"
        self.witness: Witness | None = None
        self._router = Router(chosen)
        self._jobs: deque[tuple[int, str, Job]] = deque()  # of which epoch's end, for whom, what
        self._stopping = False
        self._head: dict[str, Any] | None = None
        self._shown = world.clock.monotonic_ns()
        self._unshown = False  # whether rows were made since
        self._showing: deque[tuple[int, str, Job]] = deque()
        self._dropped: Counter[tuple[str, str]] = Counter()  # not in the journal yet

    def offer(self, frame: Frame) -> bool:
        """Take a frame; False while the queue is full: drop a book difference, wait with others."""
        taken = self.ingress.offer(self._router.hint(frame), self.world.clock.monotonic_ns())
        if taken and self.witness is not None:
            self.witness.offered(frame)
        return taken

    async def room(self) -> None:
        """Return when the queue has room again."""
        await self.ingress.room()

    def conflate(self, symbol: str, stream: str = "depth") -> None:
        """Count a frame that the full queue made one drop: the journal keeps the count."""
        self._dropped[symbol, stream] += 1
        if self.witness is not None:
            self.witness.conflated(symbol, stream)

    @property
    def last_time(self) -> int:
        """Return the receive time of the last frame that was read, NULL_INT for none."""
        return max((line.last_time for line in self.lines.values()), default=NULL_INT)

    def book_state(self, symbol: str) -> BookState:
        """Return how a symbol's book stands after the frames that were computed."""
        return self.lines[symbol].book_state

    def stop(self) -> None:
        """Let `run` return when everything offered so far is computed and shown."""
        self._stopping = True
        self.ingress.wake()

    async def recover(self) -> None:
        """Open the journal, restore the newest checkpoint and run what lies behind it again."""
        self.state = "recovering"
        try:
            await recover(self)
        except OSError as failure:
            self._fail(JOURNAL_FAILED(why=_why(failure)))
        self.state = "running"

    async def run(self) -> None:
        """Compute until `stop`. Errors: see the class; what is durable stays."""
        if self.journal is None:
            await self.recover()
        while not (self._stopping and not len(self.ingress) and not self._dropped):
            await self._some()
            if len(self.ingress) < self.settings.group_frames and not self._stopping:
                await self.world.clock.sleep(self.settings.commit_seconds)
            else:
                await asyncio.sleep(0)
            self._group()
        await self._finish()

    def act(self, frames: Sequence[Frame], quiet: frozenset[str] = frozenset()) -> None:
        """Compute from durable frames; the rows of `quiet` sinks are there already."""
        while frames:
            count = self.epochs.take(frames)
            self.feed(frames[:count], quiet)
            if count < len(frames) or self.epochs.is_full:
                self._end_epoch()
            frames = frames[count:]

    def feed(self, frames: Sequence[Frame], quiet: frozenset[str] = frozenset()) -> None:
        """Hand frames to their lines, and the rows that are prompt to their sinks."""
        for symbol, line in self.lines.items():
            own = [each for each in frames if each.symbol in ("", symbol)]
            if own:
                line.take(own, quiet)
                if self.witness is not None:
                    self.witness.computed(line)
        self.cross.settle(self.lines, quiet)
        for sink in self.sinks:
            if sink.PROMPT:
                try:
                    sink.flush()
                except OSError as failure:
                    self._fail(SINK_FAILED(sink=sink.name, why=_why(failure)))

    def head(self) -> dict[str, Any]:
        """Return what a checkpoint of this engine is bound to."""
        assert self.journal is not None
        session = self.journal.session
        if self._head is None or self._head["journal"] != session.hex():
            lines = {symbol: line.identity() for symbol, line in self.lines.items()}
            lines |= self.cross.identity()
            self._head = checkpoint.head_of(session, lines, self.epochs.state()["rule"])
        return self._head

    def checkpoint_jobs(self) -> list[Job]:
        """Return what makes a checkpoint of the state as it is now: an epoch's end."""
        head, epochs = self.head(), self.epochs.state()
        states = {symbol: line.state() for symbol, line in self.lines.items()}
        states |= self.cross.state()
        packed: dict[str, bytes] = {}

        def pack(symbol: str) -> None:
            packed[symbol] = checkpoint.pack_state(states.pop(symbol))

        def write() -> None:
            sinks = {sink.name: sink.state() for sink in self.sinks}
            data = checkpoint.pack(head, {"epochs": epochs, "lines": packed, "sinks": sinks})
            checkpoint.save(self.world.disk, epochs["position"], data)

        return [*(partial(pack, symbol) for symbol in states), write]

    def status(self) -> dict[str, Any]:
        """Return plain data: health, queue, throughput, latency, books, accounts."""
        journal = self.journal
        return {
            "state": self.state,
            "queue": {
                "frames": len(self.ingress),
                "bytes": self.ingress.bytes,
                "deepest": self.ingress.deepest,
                "refused": self.ingress.refused,
            },
            "journal": {
                "frames": journal.end if journal else 0,
                "durable": journal.durable if journal else 0,
                "torn_bytes": journal.torn if journal else 0,
            },
            "checkpoint": {"position": self.epochs.first, "jobs_waiting": len(self._jobs)},
            **self.meter.told(),
            "lines": {symbol: line.told() for symbol, line in self.lines.items()},
            "notes": [*self.notes, *self.cross.notes],
        }

    async def _some(self) -> None:
        """Return when frames wait; meanwhile end the last epoch's work and show the last rows."""
        await self._work()
        if self._unshown and not len(self.ingress):
            left = self._shown / SECOND + self.settings.show_seconds
            left -= self.world.clock.monotonic_ns() / SECOND
            try:
                async with asyncio.timeout(max(0.0, left)):
                    await self.ingress.some()
            except TimeoutError:
                self._show()
                await self._work()
        await self.ingress.some()

    async def _work(self) -> None:
        """Do what waits to be done, as long as no frame comes."""
        while not len(self.ingress) and (self._jobs or self._showing) and self._one_job():
            await asyncio.sleep(0)

    def _group(self) -> None:
        """Make what waits durable, compute it, and hand it out."""
        assert self.journal is not None
        group = self.ingress.take(self.settings.group_frames)
        if group or self._dropped:
            frames = [frame for frame, _ in group]
            # As old as the frames before it: a later time would end their epoch early.
            frames += self._notes(frames[-1].processed_time if frames else None)
            try:
                for frame in frames:
                    self.journal.append(frame)
                self.journal.sync()
            except OSError as failure:
                self._fail(JOURNAL_FAILED(why=_why(failure)))
            self.act(frames)
            self.meter.done(group)
        self._one_job()
        self._unshown = self._unshown or bool(group)
        if self.world.clock.monotonic_ns() - self._shown > self.settings.show_seconds * SECOND:
            self._show()
            self._check_room()

    def _notes(self, time: int | None) -> list[Frame]:
        """Return the counts of what was dropped since the last group, as records."""
        dropped, self._dropped = self._dropped, Counter()
        at = self.world.clock.wall_ns() if time is None else time
        return [note_of(at, *key, count) for key, count in sorted(dropped.items())]

    def _end_epoch(self) -> None:
        position = self.epochs.position
        for line in (*self.lines.values(), self.cross):
            line.flush()
        while self._jobs:
            if not self._one_job():
                break
        late = {at for at, _, _ in self._jobs}
        if len(late) >= self.settings.late_epochs:
            self._fail(SINK_FAILED(sink=self._jobs[0][1], why=self.notes[-1]))
        for sink in self.sinks:
            self._jobs.extend((position, sink.name, job) for job in sink.roll(position))
        self._showing.clear()  # of the epoch that has ended
        self._jobs.extend((position, "checkpoint", job) for job in self.checkpoint_jobs())
        self.epochs.end()

    def _one_job(self) -> bool:
        """Do the next job, of an ended epoch first; False: it failed and is tried again later."""
        waiting = self._jobs or self._showing
        if not waiting:
            return True
        _, name, job = waiting[0]
        try:
            job()
        except OSError as failure:
            self._note(f"{name} waits: {_why(failure)}")
            self._showing.clear()  # what is shown next shows this too
            return False
        except Lost as failure:
            self._fail(SINK_FAILED(sink=name, why=str(failure)))
        waiting.popleft()
        return True

    def _show(self) -> None:
        self._shown, self._unshown = self.world.clock.monotonic_ns(), False
        for line in (*self.lines.values(), self.cross):
            line.flush()
        self._showing.clear()
        for sink in self.sinks:
            self._showing.extend((self.epochs.position, sink.name, job) for job in sink.show())

    def _check_room(self) -> None:
        free, least = self.world.disk.free_bytes(), self.settings.least_free_bytes
        if free < least:
            self._fail(DISK_LOW(free=free, least=least))

    async def _finish(self) -> None:
        """End in order: every job done, the epoch in hand shown, the journal closed."""
        await self._do_all()
        self._show()
        await self._do_all()
        assert self.journal is not None
        self.journal.close()
        self.state = "stopped"

    async def _do_all(self) -> None:
        while waiting := self._jobs or self._showing:
            name = waiting[0][1]
            if not self._one_job():
                self._fail(SINK_FAILED(sink=name, why=self.notes[-1]))
            await asyncio.sleep(0)

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes[-1:]:
            self.notes = [*self.notes[-99:], sentence]

    def _fail(self, error: QuantflowError) -> NoReturn:
        self.state = "failed"
        self._note(error.sentence)
        raise error


def _sinks(project: Project, outside: Outside) -> list[Sink]:
    """Return the project's sinks, by default Parquet. Errors: QF640-QF642 at the project's line."""
    if not project.sinks:
        return [open_sink("parquet", "parquet", outside, {})]
    opened = []
    for row in project.sinks:
        try:
            opened.append(open_sink(row.name, row.type, outside, row.options))
        except QuantflowError as error:
            raise error.at(row.place) from None
    return opened


def _name(sink: Sink) -> str:
    return sink.name


def _why(failure: OSError) -> str:
    return failure.strerror or str(failure) or type(failure).__name__
