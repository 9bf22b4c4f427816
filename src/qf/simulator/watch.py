"""The oracles that look on while a campaign runs.

after every update   every level of the book equals the exchange's true book while it is valid
while rows go out    all that was journalled is durable; every quote was the market's own, lately
twice a second       queues, tasks and timers stay within their bounds; ten calm seconds after a
                     fault the book is valid again
"""

from __future__ import annotations

from collections.abc import Callable

from qf.book.state import ARRIVED
from qf.book.top import BOOK_ID, LADDER_AT
from qf.live.line import Line
from qf.simulator.books import compare
from qf.simulator.intake import Intake
from qf.simulator.life import Life
from qf.simulator.loop import VirtualLoop
from qf.simulator.report import Report
from qf.tape.journal import Frame
from qf.testing.market.ladder import Book

WELL_AGAIN_S = 10.0
MOST_TASKS, MOST_TIMERS, MOST_JOBS = 64, 512, 64


class Onlooker:
    """The witness of one life's engine: what it took, what it dropped, and every book it makes."""

    def __init__(
        self,
        intake: Intake,
        dropped: Callable[[], None],
        truth: Callable[[str, int], Book],
        report: Report,
    ) -> None:
        self._intake, self._dropped, self._truth, self._report = intake, dropped, truth, report
        self._last: dict[str, tuple[bool, int]] = {}

    def offered(self, frame: Frame) -> None:
        """Note a frame that was taken."""
        self._intake.offered(frame)

    def conflated(self, symbol: str, stream: str) -> None:
        """Note a frame that was dropped."""
        self._dropped()

    def computed(self, line: Line) -> None:
        """Compare the book of a line with the true one, if it is valid and not the last one."""
        state, report = line.book_state, self._report
        seen = (state.valid, state.last_id)
        last, self._last[line.symbol] = self._last.get(line.symbol), seen
        if not state.valid or seen == last:
            return
        words = line._book
        truth = self._truth(line.symbol, int(words[ARRIVED + BOOK_ID]))
        difference = compare(words, int(words[ARRIVED + LADDER_AT]), truth.bids, truth.asks)
        report.counts["comparisons"] += 1
        if difference:
            report.counts["wrong_books"] += 1
            report.wrong(f"a wrong book while valid, at {state.last_id}: {difference}")


class Bounds:
    """Hold everything that could grow against its cap."""

    def __init__(self, loop: VirtualLoop, report: Report) -> None:
        self._loop, self._report = loop, report

    def look(self, life: Life, tasks: int) -> None:
        """Look at queues, tasks, timers and waiting jobs."""
        report, engine = self._report, life.engine
        if engine is None:
            return
        ready, timers = self._loop.pending()
        found = {
            "tasks": (tasks, MOST_TASKS),
            "timers": (ready + timers, MOST_TIMERS),
            "queue_frames": (len(engine.ingress), engine.settings.queue_frames),
            "waiting_jobs": (len(engine._jobs), MOST_JOBS),
            "notes": (len(engine.notes), 200),
        }
        for name, (value, most) in found.items():
            report.most(name, value)
            if value > most:
                report.wrong(f"{name} grew to {value:,}; the bound is {most:,}")


class Health:
    """Say when the book must be valid: so many seconds after the last trouble has passed."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.calm_since = 0.0
        self._ill_since: float | None = None

    def disturb(self, until: float) -> None:
        """Take in that something is wrong until then."""
        self.calm_since = max(self.calm_since, until)

    def look(self, now: float, valid: bool, why: str) -> None:
        """Look at the book; complain once per illness."""
        if valid:
            if self._ill_since is not None:
                self._report.most("seconds_to_valid", now - max(self.calm_since, self._ill_since))
            self._ill_since = None
            return
        if self._ill_since is None:
            self._ill_since = now
        since = max(self.calm_since, self._ill_since)
        if since < float("inf") and now - since > WELL_AGAIN_S:
            calm = f"{now - since:.1f} calm seconds"
            self._report.wrong(f"at {now:.1f} s the book is not well for {calm}: {why}")
            self._ill_since = float("inf")
