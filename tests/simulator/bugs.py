"""Bugs to plant in the shipped code, one patch each; the simulator must catch every one.

Each changes what the live path does in one place and nothing else; its profile is the kind of
campaign that shows it soonest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from qf.live import checkpoint, recovery
from qf.live.budget import Budget
from qf.live.connection import Connection
from qf.live.engine import Engine
from qf.live.ingress import Ingress
from qf.live.line import BookState, Line
from qf.live.resync import Resync
from qf.live.trade_holes import TradeHoles
from qf.live.venue_session import VenueSession
from qf.program import Program
from qf.sinks import jsonl
from qf.sinks.parquet import ParquetSink
from qf.tape.journal import Journal
from qf.tape.read import Reader, Tally

Patch = Callable[[Any], None]


class Bug(NamedTuple):
    plant: Patch
    profile: str


def no_resync_after_a_gap(patch):
    patch.setattr(Resync, "wants", lambda self, reason, live, now: reason == "unsynced" and live)


def pings_reset_the_watchdog(patch):
    patch.setattr(Connection, "stalled", lambda self, now: [])
    patch.setattr(Connection, "mute", lambda self, now: [])


def emit_before_sync(patch):
    usual = Journal.sync

    def sync(self):
        self._hand_over()
        self.durable = self.end
        self._later = getattr(self, "_later", 0) + 1
        if self._later % 20 == 0:
            usual(self)

    patch.setattr(Journal, "sync", sync)


def act_before_append(patch):
    usual = Engine._group

    def group(self):
        waiting = [frame for frame, _ in self.ingress._waiting]
        self.act(waiting)
        self.act = lambda frames: None
        try:
            usual(self)
        finally:
            del self.act

    patch.setattr(Engine, "_group", group)


def checkpoint_without_sync(patch):
    """A checkpoint is written in place, without a sync: a power loss tears it."""

    def save(disk, position, data):
        path = f"{checkpoint.FOLDER}/{position:016d}{checkpoint.SUFFIX}"
        for name in disk.names(checkpoint.FOLDER):
            disk.remove(f"{checkpoint.FOLDER}/{name}")
        disk.appender(path).append(data)

    patch.setattr(checkpoint, "save", save)


def torn_tail_is_kept(patch):
    """The checksum of a record is not looked at."""
    from qf.tape import journal

    class NoCrc:
        @staticmethod
        def crc32(data, value=0):
            return 0

    patch.setattr(journal, "zlib", NoCrc)


def a_whole_record_goes_with_the_torn_one(patch):
    """Opening the journal cuts one record more than the torn one."""
    from qf.tape import journal

    usual = journal._whole

    def whole(name, data, skip):
        found = usual(name, data, skip)
        if not found.why or not found.frames:
            return found
        size = len(journal.record_of(found.frames[-1], 0))
        return found._replace(frames=found.frames[:-1], end=found.end - size)

    patch.setattr(journal, "_whole", whole)


def frames_change_places(patch):
    """A group of frames goes to the journal last one first."""
    usual = Ingress.take
    patch.setattr(Ingress, "take", lambda self, most: usual(self, most)[::-1])


def checkpoint_position_off_by_one(patch):
    usual = checkpoint.newest

    def newest(disk):
        found, damaged = usual(disk)
        if found is not None and found.position:
            found = found._replace(position=found.position + 1)
        return found, damaged

    patch.setattr(checkpoint, "newest", newest)
    patch.setattr(recovery.checkpoint, "newest", newest)


def stale_checkpoint_is_accepted(patch):
    """The oldest checkpoint is restored as if it were of the newest position."""
    usual = checkpoint.newest

    def newest(disk):
        found, damaged = usual(disk)
        names = [name for name in disk.names(checkpoint.FOLDER) if name.endswith(".qfc")]
        if found is not None and len(names) > 1:
            old = checkpoint.unpack(disk.read(f"{checkpoint.FOLDER}/{names[0]}"))
            found = found._replace(body=old[1])
        return found, damaged

    patch.setattr(checkpoint, "newest", newest)


def first_difference_off_by_one(patch):
    """The snapshot is taken for one update older than it is (bridged one too early)."""
    usual = VenueSession._give

    async def give(self, symbol, kind, payload, origin="ws"):
        if kind == "snapshot":
            head, _, rest = payload.partition(b'"lastUpdateId":')
            number, comma, rest = rest.partition(b",")
            payload = head + b'"lastUpdateId":%d' % (int(number) + 3) + comma + rest
        await usual(self, symbol, kind, payload, origin)

    patch.setattr(VenueSession, "_give", give)


def spot_rule_on_futures(patch):
    from qf.feeds import binance_usdm

    patch.setattr(binance_usdm, "CONTINUITY", "spot")


def reset_is_forgotten(patch):
    """A restart begins with the counts of the reader at zero."""
    usual = Reader.restore

    def restore(self, saved):
        usual(self, saved)
        self.tally = Tally()

    patch.setattr(Reader, "restore", restore)


def trades_drop_on_overflow(patch):
    """A queue of two frames, and whatever does not fit is gone."""
    usual = Ingress.offer

    def offer(self, frame, now_ns):
        if len(self) >= 2:
            return True
        return usual(self, frame, now_ns)

    patch.setattr(Ingress, "offer", offer)


def bans_are_ignored(patch):
    patch.setattr(Budget, "_ban", lambda self, retry_after, now: None)


def ban_is_forgotten_at_a_restart(patch):
    patch.setattr(Budget, "load", lambda self, saved, now, wall: None)


def resync_storm(patch):
    """Snapshots are asked for at every look, without a back-off and without a budget."""
    patch.setattr(Resync, "wants", lambda self, reason, live, now: live)
    patch.setattr(Budget, "wait_ns", lambda self, weight, now: 0)


def ticker_over_an_older_book(patch):
    """A ticker overlays the ladder for ever: its id is said to be far ahead of every difference."""
    usual = Line.take

    def take(self, frames, *given):
        usual(self, frames, *given)
        self._book[VISIBLE_TICKER] += 1_000

    from qf.book.state import VISIBLE
    from qf.book.top import TICKER_ID

    VISIBLE_TICKER = VISIBLE + TICKER_ID
    patch.setattr(Line, "take", take)


def rows_of_a_crash_are_skipped(patch):
    """What lies behind the checkpoint is computed again quietly: its rows are not handed out."""
    usual = recovery._replay

    async def replay(engine, frames, quiet=frozenset()):
        await usual(engine, frames, frozenset(sink.name for sink in engine.sinks))

    patch.setattr(recovery, "_replay", replay)


def held_trades_are_dropped(patch):
    """Trades behind a hole are given up with the hole."""

    def give_up(self, now):
        ids = sorted(self.held)
        if ids:
            self.next_id = ids[-1] + 1
        self.held.clear()
        self.opened = None
        return []

    patch.setattr(TradeHoles, "give_up", give_up)


def nan_through_a_window(patch):
    """The windows restored from a checkpoint hold what is not a number."""
    usual = Program.restore

    def restore(self, saved):
        usual(self, saved)
        self._slots[:] = float("nan")

    patch.setattr(Program, "restore", restore)


def lost_quarantine_count(patch):
    """A restart forgets how many frames were refused."""
    usual = Reader.restore

    def restore(self, saved):
        usual(self, saved)
        for account in self.tally.accounts.values():
            account["quarantined"] = 0

    patch.setattr(Reader, "restore", restore)


def no_gap_check(patch):
    _called_valid(patch, "gap")


def crossed_book_is_valid(patch):
    _called_valid(patch, "crossed")


def _called_valid(patch, reason):
    """Call a book valid though it is not, for one reason."""
    usual = Line.book_state.fget

    def book_state(self):
        state = usual(self)
        return BookState(True, "", state.last_id, False) if state.reason == reason else state

    patch.setattr(Line, "book_state", property(book_state))


def duplicate_after_a_restart(patch):
    """The rows behind the checkpoint come again as rows of another time."""
    usual = Line.restore

    def restore(self, state):
        usual(self, state)
        self.program._clocks[1:, 2] += 1  # every clock has made one row more

    patch.setattr(Line, "restore", restore)


def wall_clock_for_durations(patch):
    """Every duration of the live code is measured on the wall."""
    from qf.simulator import world

    class OnlyWall:
        def __init__(self, clock):
            self._clock = clock
            self.wall_ns = self.monotonic_ns = clock.wall_ns
            self.sleep = clock.sleep

    usual = world.World
    patch.setattr(world, "World", lambda clock, *rest: usual(OnlyWall(clock), *rest))


def conflated_counts_die_with_the_process(patch):
    """What the queue dropped since the checkpoint is forgotten."""
    usual = Line.take

    def take(self, frames, *given):
        before = dict(self.conflated)
        usual(self, frames, *given)
        self.conflated = before

    patch.setattr(Line, "take", take)


def checkpoint_before_its_rows(patch):
    """The checkpoint of an epoch is written before its files are."""
    usual = Engine._end_epoch

    def end_epoch(self):
        usual(self)
        self._jobs = deque(sorted(self._jobs, key=lambda job: job[1] != "checkpoint"))

    patch.setattr(Engine, "_end_epoch", end_epoch)


def lines_behind_the_checkpoint_come_twice(patch):
    """What a crash left behind the last durable line is written again instead of passed over."""
    usual = jsonl._File.__init__

    def begin(self, outside, path, size):
        usual(self, outside, path, outside.disk.size(path) or 0)

    patch.setattr(jsonl._File, "__init__", begin)


def files_of_the_past_are_forgotten(patch):
    """A restart begins the list of Parquet files anew."""
    usual = ParquetSink.restore
    patch.setattr(ParquetSink, "restore", lambda self, state, position: usual(self, {}, position))


BUGS = {
    function.__name__: Bug(function, *profile)
    for function, *profile in (
        (no_gap_check, "venue"),
        (crossed_book_is_valid, "venue"),
        (no_resync_after_a_gap, "venue"),
        (pings_reset_the_watchdog, "venue"),
        (first_difference_off_by_one, "venue"),
        (spot_rule_on_futures, "venue"),
        (resync_storm, "venue"),
        (bans_are_ignored, "venue"),
        (held_trades_are_dropped, "venue"),
        (trades_drop_on_overflow, "busy"),
        (ticker_over_an_older_book, "calm"),
        (act_before_append, "machine"),
        (emit_before_sync, "machine"),
        (checkpoint_without_sync, "machine"),
        (torn_tail_is_kept, "storm"),
        (a_whole_record_goes_with_the_torn_one, "storm"),
        (frames_change_places, "venue"),
        (checkpoint_position_off_by_one, "machine"),
        (stale_checkpoint_is_accepted, "machine"),
        (reset_is_forgotten, "machine"),
        (rows_of_a_crash_are_skipped, "machine"),
        (nan_through_a_window, "machine"),
        (duplicate_after_a_restart, "machine"),
        (checkpoint_before_its_rows, "machine"),
        (lines_behind_the_checkpoint_come_twice, "machine"),
        (files_of_the_past_are_forgotten, "machine"),
        (conflated_counts_die_with_the_process, "busy"),
        (lost_quarantine_count, "all"),
        (ban_is_forgotten_at_a_restart, "all"),
        (wall_clock_for_durations, "all"),
    )
}
