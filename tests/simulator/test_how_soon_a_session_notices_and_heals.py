"""Bounds of the promises, in virtual time: noticed, healed, restarted within so many seconds."""

from __future__ import annotations

import os
from dataclasses import replace

import msgspec
import pytest

from qf.exchange.fault_kinds import KINDS
from qf.exchange.plan import FaultPlan, Planned
from qf.simulator.campaign import Campaign
from qf.simulator.quotes import INVALID
from qf.simulator.schedule import VENUES, Course, Trouble
from qf.simulator.watch import WELL_AGAIN_S

FAULT_AT_S = 25.0
SECOND = 1_000_000_000
ENRICHED = b'{"table":"cdm_trade_enriched"'
# What breaks a book in ways of its own; QF_LONG=1 takes every kind there is.
BREAKING = ("disconnect", "gap", "id_reset")
HEALED = sorted(KINDS) if os.environ.get("QF_LONG") == "1" else BREAKING


def course(kind="", venue="binance_spot", minutes=1.2, intensity=20.0, troubles=(), **planned):
    """Return a busy campaign in which one fault happens, and nothing else."""
    faults = ()
    if kind:
        faults = tuple(
            replace(each, **{"at_s": FAULT_AT_S, "seconds": min(each.seconds, 30.0)} | planned)
            for each in FaultPlan.draw(1, 1.0, (VENUES[venue],), 3_600.0, [kind]).faults[:1]
        )
        if KINDS[kind].where == "rest":  # somebody has to ask
            faults += (Planned("gap", FAULT_AT_S + 1.0, VENUES[venue], "depth", seconds=1.0),)
    return Course(7, minutes, "venue", venue, intensity, tuple(troubles), faults)


class Watched(Campaign):
    """A campaign that remembers when what happened: seconds since its start."""

    def __init__(self, course):
        super().__init__(course)
        self.connects, self.states, self.starts, self.valid_rows = [], [], [], []
        self.breaks = 0
        self._last_id = None
        usual = self.exchange.connect

        def connect(*given):
            self.connects.append(self.loop.time())
            return usual(*given)

        self.exchange.connect = connect
        self.loop.call_later(0.01, self._sample)

    def noted(self, kind):
        """Return when a fault took effect."""
        note = next(note for note in self.exchange.notes if note.kind == kind)
        return (note.at_ns - self.exchange.settings.start_ns) / SECOND

    def _sample(self):
        self.loop.call_later(0.01, self._sample)
        if self.life is not None and self.life.engine is not None:
            state = self.life.engine.book_state(self.course.symbol)
            if not self.states or self.states[-1][1:] != (state.valid, state.reason):
                self.states.append((self.loop.time(), state.valid, state.reason))

    def _start(self):
        self.starts.append(self.loop.time())
        super()._start()

    def _take_rows(self, data):
        super()._take_rows(data)
        for line in data.splitlines():
            if line.startswith(ENRICHED) and not msgspec.json.decode(line)["quality"] & INVALID:
                self.valid_rows.append(self.loop.time())

    def _born(self, life):
        super()._born(life)
        (line,) = life.engine.lines.values()
        take, face = line.take, self.exchange_face()

        def watched(frames, *given):
            before = line.book_state.valid
            take(frames, *given)
            if self._is_broken(face, frames) and before:
                self.breaks += 1
                assert not line.book_state.valid, "a gap was passed over"

        line.take = watched

    def exchange_face(self):
        """Return how the venue's frames are looked at."""
        from qf.feeds.venue import find_venue
        from qf.live.venue_plan import live_face

        return live_face(find_venue(self.course.venue))

    def _is_broken(self, face, frames):
        broken = False
        for frame in frames:
            glance = face.glance(frame.payload)
            if glance.kind != "depth" or glance.last_id <= (self._last_id or 0):
                continue
            if self._last_id is not None:
                futures = glance.prev_id >= 0
                broken |= (
                    glance.prev_id > self._last_id
                    if futures
                    else glance.first_id > self._last_id + 1
                )
            self._last_id = glance.last_id
        return broken


def watched(course):
    campaign = Watched(course)
    assert campaign.run().problems == []
    return campaign


@pytest.mark.parametrize("kind", ["stall", "black_hole"])
def test_a_stall_is_noticed_within_three_seconds(kind):
    # Streams that speak as often as those of a liquid symbol: a quiet one may be silent for longer.
    seen = watched(course(kind, minutes=0.9, intensity=100.0, seconds=15.0))
    began = seen.noted(kind)
    noticed = min(at for at in seen.connects if at > began)
    assert noticed - began <= 3.0


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_a_gap_is_seen_with_the_next_frame(venue):
    seen = watched(course("drop", venue, channel="depth", count=1))
    assert seen.breaks >= 1


def test_a_crossed_book_is_not_valid_within_a_quarter_of_a_second():
    seen = watched(course("crossed"))
    began = seen.noted("crossed")
    noticed = min(at for at, _, reason in seen.states if at > began and reason == "crossed")
    assert noticed - began <= 0.25


@pytest.mark.parametrize("kind", HEALED)
def test_a_book_is_valid_again_within_ten_seconds_after_the_fault(kind):
    seen = watched(course(kind))
    assert seen.report.faults[kind] >= 1
    assert seen.report.largest.get("seconds_to_valid", 0.0) <= WELL_AGAIN_S
    assert seen.states[-1][1]


@pytest.mark.parametrize("kind", ["kill", "power_loss"])
def test_the_first_valid_row_comes_within_ten_seconds_of_a_restart(kind):
    troubles = [Trouble(at_s, kind, 0.0, 0.3) for at_s in (20.0, 41.3, 58.8)]
    seen = watched(course(troubles=troubles))
    assert len(seen.starts) == 1 + len(troubles)
    for start in seen.starts:
        assert min(at for at in seen.valid_rows if at > start) - start <= 10.0
