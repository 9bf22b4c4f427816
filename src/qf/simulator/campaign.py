"""One seed: the exchange, the session and the machine under their faults, and the oracles.

1. the exchange trades, the shipped session and engine run on a simulated machine
2. troubles strike at their instants; a life that has ended is followed by the next one
3. oracles look on (watch.py)
4. at the end no trouble is left, the last life stops in order, and all that was handed out over all
   lives is held against the batch run over the journal (emissions.py)
"""

from __future__ import annotations

import dataclasses
from contextvars import Context
from functools import cache
from pathlib import Path
from typing import Any

from qf.errors import QuantflowError
from qf.exchange.exchange import Exchange
from qf.exchange.in_process import ExchangeNetwork
from qf.exchange.plan import FaultPlan
from qf.exchange.settings import ExchangeSettings
from qf.feeds.venue import find_venue
from qf.live.engine import DISK_LOW, JOURNAL_FAILED, SINK_FAILED, Settings
from qf.live.line import live_instrument, live_provider
from qf.live.rest import TIMEOUT_S
from qf.live.venue_plan import live_face
from qf.project import open_project
from qf.project.model import Later, Project
from qf.simulator.emissions import Emissions, batch, differences
from qf.simulator.intake import Intake
from qf.simulator.judge import judge_accounts, judge_dropped, judge_memory
from qf.simulator.kept import kept_differences, unlisted
from qf.simulator.life import Life
from qf.simulator.loop import VirtualLoop
from qf.simulator.machine import Machine
from qf.simulator.memory import Memory
from qf.simulator.process import Process
from qf.simulator.promised import Promised
from qf.simulator.quotes import Quotes
from qf.simulator.report import Report, digest_of
from qf.simulator.schedule import Course, Trouble
from qf.simulator.watch import Bounds, Health, Onlooker
from qf.simulator.world import SimWorld
from qf.tape.journal import Frame, Journal

FOLDER = Path(__file__).resolve().parent / "project"
LEVELS = 60  # of the true book per side: few, so that hours pass in seconds
LOOK_S = 0.5
FIRST_START_S, RESTART_S = 0.5, 1.0
STOP_S = 5.0  # for the last life to end in order
MOST_TROUBLE_S = 300.0  # what never ends by itself is the session's to end
QUIET_S = 16.0  # a stream of a calm market may be silent so long before it is called dead
FRESH_NS = 5_000_000_000
MOST_FAILURES = 5  # starts in a row that come to nothing
BEHIND = ("jsonl/", "tables/", "checkpoint/")  # written from what the journal holds durably
SAFE_STOPS = (JOURNAL_FAILED.code, SINK_FAILED.code, DISK_LOW.code)
SETTINGS = Settings(
    epoch_frames=400, epoch_seconds=60, segment_bytes=200_000, least_free_bytes=1 << 14
)


@cache
def shipped_project() -> Project:
    """Return the project that campaigns run."""
    return open_project(FOLDER)


@cache
def project_of(symbol: str, sink: str, book_alone: bool = False) -> Project:
    """Return the campaign's project with one symbol alone, printing every row."""
    whole = shipped_project()
    providers = tuple(p for p in whole.providers if symbol in p.symbols)
    tables = ("enriched", "bars", "l2", "features", "vectors")
    if book_alone:
        tables, nothing = ("l2",), {"bars": (), "feature_sets": (), "labels": ()}
        whole = dataclasses.replace(whole, sources=("book",), tables=frozenset(tables), **nothing)
        providers = tuple(dataclasses.replace(p, channels=("depth",)) for p in providers)
    place = providers[0].place
    kinds = ("stdout", sink) if sink else ("stdout",)
    short = {"file_mb": 0.05}
    sinks = tuple(
        Later(kind, kind, {"tables": tables, **(short if kind == "jsonl" else {})}, place)
        for kind in kinds
    )
    return dataclasses.replace(whole, providers=providers, symbols=(symbol,), sinks=sinks)


class Campaign:
    """Run one course; `run` returns its report."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.project = project_of(course.symbol, course.sink, course.book_alone)
        self.report = Report(course.seed, course.minutes)
        symbol = course.symbol
        self.instrument = live_instrument(self.project, live_provider(self.project, symbol), symbol)
        settings = ExchangeSettings(
            venue=course.venue, symbols=(symbol,), intensity=course.intensity, levels=LEVELS
        )
        self.exchange = Exchange(settings, course.seed, FaultPlan(course.planned))
        self.settings = SETTINGS
        if course.queue:
            self.settings = dataclasses.replace(SETTINGS, queue_frames=course.queue)
        self.listing = self.exchange.listings[symbol]
        self.loop = VirtualLoop()
        self.world = SimWorld(course.seed, settings.start_ns, self._reach, self.loop)
        self.machine = Machine(self.world, self._died)
        self.emissions = Emissions(self._all_durable)
        tick, lot = float(self.instrument.tick_size), float(self.instrument.lot_size)
        self.quotes = Quotes(tick, lot, int(self.project.enrich.book_ttl_ms * 1e6))
        self.bounds = Bounds(self.loop, self.report)
        self.health = Health(self.report)
        self.memory = Memory()
        self.intake = Intake(self.loop, self.report)
        self.promised = Promised(self.world.platter)
        self.life: Life | None = None
        self._network: ExchangeNetwork | None = None
        self._unsynced = False  # whether bytes of the journal are not durable
        self._failures = 0
        self._noted = 0
        self._dropped = 0  # frames that found the queue full
        self._over = False

    def run(self) -> Report:
        """Run the whole course."""
        self._watch_market()
        self.world.platter.watchers.append(self._watch_disk)
        loop, end = self.loop, 60 * self.course.minutes
        loop.call_later(FIRST_START_S, self._start)
        loop.call_later(LOOK_S, self._look)
        for trouble in self.course.troubles:
            loop.call_at(trouble.at_s, self._strike, trouble)
        loop.run_until(end)
        self._over = True
        if self.life is not None:
            self.life.stop()
        loop.run_until(end + STOP_S)
        self._judge()
        return self.report

    # --- lives ----------------------------------------------------------------------------------

    def _reach(self, process: Process) -> ExchangeNetwork:
        self.exchange.advance(self.world.clock.true_ns())
        self._network = ExchangeNetwork(self.exchange, self.world.clock)
        return self._network

    def _start(self) -> None:
        if self._over or self.life is not None:
            return
        self.health.disturb(self.loop.time())
        absent = unlisted(self.world.platter, self.project.name)
        if absent:
            self.report.wrong(f"at {self.loop.time():.1f} s {absent}")
        self.life = Life(self.project, self.settings, self._take_rows, self._born)
        process = self.world.start(self.life.run)
        (main,) = process.tasks
        main.add_done_callback(self._ended)

    def _born(self, life: Life) -> None:
        engine = life.engine
        assert engine is not None
        engine.witness = Onlooker(
            self.intake, self._note_dropped, self.exchange.true_book, self.report
        )

    def _note_dropped(self) -> None:
        self._dropped += 1
        self.health.disturb(self.loop.time())

    def _died(self, down_s: float) -> None:
        """Follow a death: the sockets go, and the next life comes later."""
        self.intake.died()
        self.life = None
        self._unsynced = False
        if self._network is not None:
            self._network.cut()
            self._network = None
        self.health.disturb(self.loop.time() + down_s)
        # In a context of its own: what dies must not take its follower along.
        self.loop.call_later(down_s, self._start, context=Context())

    def _ended(self, task: Any) -> None:
        """Follow a life that ended by itself."""
        life = self.life
        if life is None or task.cancelled():
            return
        error = task.exception()
        if error is None:
            self.life = None if not self._over else life
            return
        self._complain(life, error)
        self.world.kill()
        if not self._over:
            self._died(RESTART_S)

    def _complain(self, life: Life, error: BaseException) -> None:
        recovered = life.recovered_at is not None
        self._failures = 0 if recovered else self._failures + 1
        excused = self.loop.time() <= self.machine.excused
        if isinstance(error, QuantflowError) and error.code in SAFE_STOPS:
            self.report.counts["safe_stops"] += 1
            if excused:
                self.health.disturb(self.machine.excused)
                return
        self.report.wrong(f"at {self.loop.time():.1f} s the session ended: {error!r}")
        if self._failures >= MOST_FAILURES:
            self._over = True

    # --- what is watched ------------------------------------------------------------------------

    def _watch_market(self) -> None:
        listing = self.listing
        self.quotes.note(self.exchange.now_ns, listing.best)
        listing.on_quote, listing.on_trade = self.quotes.note, self.quotes.note_trade

    def _watch_disk(self, operation: str, path: str, data: bytes) -> None:
        if path.startswith("journal/"):
            self._unsynced = operation == "append"
            wrong = self.promised.note(operation, path, data)
            if wrong:
                self.report.wrong(f"at {self.loop.time():.1f} s {wrong}")
        elif path.startswith(BEHIND) and operation in ("append", "write"):
            self.emissions.too_early += not self._all_durable()

    def _all_durable(self) -> bool:
        """Say whether every frame that was computed from is durable, and all of the journal is."""
        engine = self.life.engine if self.life is not None else None
        if engine is not None and engine.journal is not None:
            return not self._unsynced and engine.epochs.position <= engine.journal.durable
        return not self._unsynced

    def _take_rows(self, data: bytes) -> None:
        for line in data.splitlines():
            if line not in self.emissions.lines:
                wrong = self.quotes.judge(line, self.listing.true_book)
                if wrong:
                    self.report.wrong(f"at {self.loop.time():.1f} s {wrong}")
        self.emissions.take(data)

    def _strike(self, trouble: Trouble) -> None:
        self.report.faults[trouble.kind] += 1
        self.health.disturb(self.loop.time() + trouble.length_s)
        self.machine.strike(trouble)

    def _read_notes(self) -> None:
        """Take in which faults of the venue have happened since the last look."""
        for note in self.exchange.notes[self._noted :]:
            self.report.faults[note.kind] += 1
            until = (note.until_ns - self.exchange.settings.start_ns) / 1e9
            if note.kind == "slow_answer":  # noted when asked; the session waits for so long
                until += TIMEOUT_S
            if note.kind == "black_hole":  # it never ends by itself: the session has to notice
                until = self.loop.time() + QUIET_S
            self.health.disturb(min(until, self.loop.time() + MOST_TROUBLE_S))
        self._noted = len(self.exchange.notes)

    def _look(self) -> None:
        self.loop.call_later(LOOK_S, self._look)
        self._read_notes()
        now, life = self.loop.time(), self.life
        process = self.world.process
        if life is None or life.engine is None or process is None:
            return
        if life.recovered_at is not None and not life.counted:
            life.counted = True
            self.report.counts["recoveries"] += self.world.lives > 1
            self._failures = 0
        if life.session is not None:
            self.intake.follow(life.session)
        self.bounds.look(life, len(process.tasks))
        self.memory.look(now, (life.engine, life.session))
        state = life.engine.book_state(self.course.symbol)
        banned = self._banned_until(life)
        if banned:
            self.health.disturb(now + banned)
        fresh = state.valid and self._is_fresh(state.last_id)
        self.health.look(now, fresh, state.reason or f"it stands still at {state.last_id}")

    def _is_fresh(self, update_id: int) -> bool:
        """Say whether a book at this id is not much behind the true one."""
        oldest, then = self.world.clock.true_ns() - FRESH_NS, 0
        for at, last in reversed(self.listing._recent):  # the newest few of many
            if at <= oldest:
                then = last
                break
        return self.listing.own_id(update_id) >= then

    def _banned_until(self, life: Life) -> float:
        if life.session is None:
            return 0.0
        clock = self.world.clock.monotonic_ns()
        waits = [venue.rest.budget.banned_until - clock for venue in life.session.venues]
        return max(0.0, *(wait / 1e9 for wait in waits))

    # --- the end --------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Hold everything that was handed out against the batch run over the journal."""
        report, life = self.report, self.life
        for complaint in self.loop.complaints[:3]:
            report.wrong(f"nobody took an error: {complaint}")
        for offence in self.exchange.offences[:3]:
            report.wrong(f"the venue was offended: {offence.what}")
        report.counts["offences"] += len(self.exchange.offences)
        whole = life is not None and life.engine is not None and life.engine.state == "stopped"
        if not whole:
            state = "none" if life is None or life.engine is None else life.engine.state
            report.wrong(f"the last life did not stop in order: {state}")
        judge_memory(report, self.memory)
        frames = self._journal()
        if self.emissions.too_early:
            report.wrong(
                f"{self.emissions.too_early} rows went out before their frames were durable"
            )
        face = live_face(find_venue(self.course.venue))
        self.intake.judge(frames, face.glance)
        made = batch(self.project, self.instrument, frames)
        found = differences(self.emissions.lines, made.rows.lines, whole)
        if whole:
            platter, name = self.world.platter, self.project.name
            found += kept_differences(platter, name, self.course.sink, made.rows)
        for sentence in found:
            report.wrong(sentence)
        report.counts["rows_wrong"] += len(found)
        if whole:
            assert life is not None and life.engine is not None
            accounts = life.engine.lines[self.course.symbol].accounts
            judge_accounts(report, accounts, made.accounts, frames)
            judge_dropped(report, frames, accounts, self._dropped, self.world.lives == 1)
        self._count(frames)

    def _journal(self) -> list[Frame]:
        """Return every frame that is in the journal."""
        disk = self.world.platter.mount(Process("the judge"))
        try:
            return list(Journal(disk).read())
        except QuantflowError as error:
            self.report.wrong(f"the journal cannot be read: {error}")
            return []

    def _count(self, frames: list[Frame]) -> None:
        report, emissions = self.report, self.emissions
        report.counts["frames"] += len(frames)
        report.counts["rows"] += len(emissions.lines)
        report.counts["rows_handed_out"] += emissions.handed_out
        report.counts["quotes"] += self.quotes.checked
        report.counts["lives"] += self.world.lives
        report.counts["disk_operations"] += self.world.platter.operations
        report.counts["lost_bytes"] += self.world.platter.lost_bytes
        parts = [b"%d %b" % (count, line) for line, count in emissions.lines.items()]
        parts += [b"%d %b" % (frame.processed_time, frame.payload) for frame in frames]
        parts += [repr(sorted(report.counts.items())).encode(), repr(report.problems).encode()]
        report.digest = digest_of(parts)
