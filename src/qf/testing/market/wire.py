"""The line between venue and recorder: latency, arrival in order, the recorder's clock, mishaps.

Frames of one connection arrive in the order they were sent. REST answers come beside it and
land where their own travel ends. The receive time is the recorder's clock, which runs at a
constant offset from the venue's and sometimes steps back.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from numpy.random import Generator

from qf.testing.market.draws import exponentials, uniforms
from qf.testing.market.settings import MarketSettings

MS = 1_000_000
STALL_SHARE = 1 / 2_000  # frames that wait 10 to 250 ms, with everything behind them


class Fault(NamedTuple):
    """One planted fault, and where to find it among the received frames."""

    kind: str
    frame: int  # ordinal of the first received frame at or after the fault
    receive_ns: int  # of the last frame received before it
    first_id: int  # ids concerned: update ids, trade ids; for times: nanoseconds
    last_id: int


class Answer(NamedTuple):
    """A REST answer on its way: when it will have arrived, by the venue's clock."""

    due_ns: int
    body: bytes


class Wire:
    """Stamp frames with the receive time and keep them until the market hands them out."""

    def __init__(self, settings: MarketSettings, generator: Generator) -> None:
        self.received: list[tuple[int, bytes]] = []
        self.count = 0  # frames received since the start
        self.faults: list[Fault] = []
        self._step_ns = 0  # how far the recorder's clock is behind its usual offset
        self._offset_ns = round(settings.clock_offset_ms * MS)
        self._base_ns = round(settings.latency_ms * MS)
        self._arrived_ns = 0  # the last arrival, by the venue's clock
        self._stamp_ns = settings.start_ns + self._offset_ns
        self._answers: deque[Answer] = deque()
        self._noted: list[tuple[str, int, int]] = []
        self._uniform = uniforms(generator)
        self._exponential = exponentials(generator)

    def send(self, sent_ns: int, body: bytes) -> None:
        """Deliver one frame of the stream that the venue sent at `sent_ns`."""
        delay = self._base_ns + int(0.8 * MS * self._exponential())
        if self._uniform() < STALL_SHARE:
            delay += int(MS * (10 + 240 * self._uniform()))
        arrived = max(sent_ns + delay, self._arrived_ns + 3_000 + int(20_000 * self._uniform()))
        if self._answers:
            self._receive_answers(arrived)
        self._arrived_ns = arrived
        if self._noted:
            self._settle()
        self._receive(arrived, body)

    def _receive_answers(self, until_ns: int) -> None:
        while self._answers and self._answers[0].due_ns <= until_ns:
            answer = self._answers.popleft()
            self._receive(max(answer.due_ns, self._arrived_ns), answer.body)

    def answer(self, asked_ns: int, body: bytes) -> None:
        """Deliver a REST answer whose content is the venue's state at `asked_ns`."""
        due = asked_ns + int(MS * (30 + 60 * self._exponential()))
        if self._answers:
            due = max(due, self._answers[-1].due_ns)
        self._answers.append(Answer(due, body))

    def note(self, kind: str, first_id: int, last_id: int) -> None:
        """Remember a planted fault; its place is the next frame of the stream."""
        self._noted.append((kind, first_id, last_id))

    def _settle(self) -> None:
        for kind, first_id, last_id in self._noted:
            self.faults.append(Fault(kind, self.count, self._stamp_ns, first_id, last_id))
        self._noted.clear()

    def step_clock(self, back_ns: int) -> None:
        """Let the recorder's clock run `back_ns` behind its usual offset from here on."""
        self._step_ns = back_ns
        if back_ns:
            self.faults.append(Fault("clock_step", self.count, self._stamp_ns, back_ns, back_ns))

    def _receive(self, arrived_ns: int, body: bytes) -> None:
        self._stamp_ns = arrived_ns + self._offset_ns - self._step_ns
        self.received.append((self._stamp_ns, body))
        self.count += 1
