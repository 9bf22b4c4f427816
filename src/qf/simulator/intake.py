"""What a session took, held against its journal: no frame lost, none that nobody brought."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial

from qf.feeds.live_face import Glance
from qf.live.session import Session
from qf.simulator.loop import VirtualLoop
from qf.simulator.report import Report
from qf.tape.journal import Frame

# What came so shortly before a death may have died in the queue, or held behind a hole.
QUEUE_S = 10.0


class Intake:
    """Note every frame that engines accept, over all lives."""

    def __init__(self, loop: VirtualLoop, report: Report) -> None:
        self._loop, self._report = loop, report
        self._taken: dict[int, float] = {}  # when, by frame
        self._places: dict[int, list[int]] = {}  # the places in the order of taking, by frame
        self._count = 0
        self._trades: dict[int, float] = {}  # when a trade was brought, by id
        self._deaths: list[float] = []
        self._followed: Session | None = None

    def offered(self, frame: Frame) -> None:
        """Note a frame that the queue of an engine took."""
        mark = _mark(frame)
        self._taken[mark] = self._loop.time()
        self._places.setdefault(mark, []).append(self._count)
        self._count += 1

    def follow(self, session: Session) -> None:
        """Look on while the links of a session bring trades; once per session."""
        if session is self._followed:
            return
        self._followed = session
        for venue in session.venues:
            venue.on_message = partial(self._brought, venue.plan.trades)

    def _brought(self, kind: str, glance: Glance) -> None:
        if glance.kind == kind and glance.last_id >= 0:
            self._trades[glance.last_id] = self._loop.time()

    def died(self) -> None:
        """Note that a life has ended before its time."""
        self._deaths.append(self._loop.time())

    def judge(self, frames: Sequence[Frame], glance: Callable[[bytes], Glance]) -> None:
        """Hold the journal against what was taken, and that against the journal."""
        kept = {_mark(frame) for frame in frames if not frame.is_note}
        strange = len(kept - self._taken.keys())
        if strange:
            self._report.wrong(f"the journal holds {strange} frames that nobody brought")
        self._judge_order(frames)
        self._judge_lost("frames that were taken", self._taken, kept)
        ids = {glance(frame.payload).last_id for frame in frames}
        self.died()  # what is held for a hole when all ends has no time left to come
        self._judge_lost("trades that were brought", self._trades, ids)

    def _judge_order(self, frames: Sequence[Frame]) -> None:
        """Hold the order of the journal against the order of taking; a frame may come twice."""
        last = -1
        for position, frame in enumerate(frames):
            places = self._places.get(_mark(frame), ())
            if frame.is_note or not places:
                continue
            later = bisect_right(places, last)
            if later == len(places):
                self._report.wrong(f"record {position} of the journal was taken before the last")
                return
            last = places[later]

    def _judge_lost(self, what: str, brought: Mapping[int, float], kept: Set[int]) -> None:
        lost = [at for mark, at in brought.items() if mark not in kept]
        lost = [at for at in lost if not any(at <= end <= at + QUEUE_S for end in self._deaths)]
        if lost:
            told = f"{len(lost)} {what} are not in the journal"
            self._report.wrong(f"{told}, the first at {lost[0]:.1f} s")


def _mark(frame: Frame) -> int:
    return hash((frame.processed_time, frame.payload))
