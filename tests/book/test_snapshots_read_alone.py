"""Snapshots that nothing else is read beside come straight from the tape, and are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.program import Program
from qf.schema import DEPTH, SNAPSHOT
from tests.book.model import MS, random_frames, tape_of
from tests.book.programs import book_plan, read_all

RULES = ("spot", "futures", "none")


def troubled(seed, rule):
    """Return random frames, some of them empty, some out of one another's reach in time."""
    frames = random_frames(seed, "futures" if rule == "none" else rule)
    rng, late = np.random.default_rng(seed), 0
    for frame in frames:
        late += 700 * MS if rng.random() < 0.02 else 0
        frame["received"] += late
        if frame["kind"] == DEPTH and rng.random() < 0.05:
            frame["levels"] = []
    return frames


def plan_that_reads(rule, *clocks):
    """Return a plan of the book op that reads everything of some clocks."""
    plan, columns = book_plan(rule, period_ms=30, book_ttl_ms=500)
    for clock in clocks:
        read_all(plan, *columns[clock])
    return plan


def crossed_then_mended():
    """Return frames of a book that stays crossed until a snapshot from ahead of them mends it."""
    start = 1_700_000_000_000 * MS
    first = [(1, 999 - k, 5) for k in range(5)] + [(-1, 1_001 + k, 5) for k in range(5)]
    mended = [(side, price + 10, 7) for side, price, _ in first]
    frames = [{"kind": SNAPSHOT, "levels": first, "first": 9, "last": 9}]
    for number in range(10, 40):
        level = (1, 1_003, 1) if number == 12 else (1, 1_009 if 14 < number < 30 else 990, number)
        frames.append({"kind": DEPTH, "levels": [level], "first": number, "last": number})
        if number == 14:
            frames.append({"kind": SNAPSHOT, "levels": mended, "first": 30, "last": 30})
    times = [start + 20 * MS * k for k in range(len(frames))]
    return [f | {"received": t, "event_time": t} for f, t in zip(frames, times, strict=True)]


def test_what_a_mending_snapshot_holds_already_is_not_applied_again():
    tape = tape_of(crossed_then_mended())
    made = [
        Program(plan_that_reads("spot", *clocks)).push(tape)["snapshot"]
        for clocks in (("book", "snapshot"), ("snapshot",))
    ]
    assert (made[0]["quality"] == 16).any()
    assert made[0]["bid_size_0"][-1] == 7.0
    for name, column in made[0].items():
        assert made[1][name].tobytes() == column.tobytes(), name


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), block=st.integers(1, 300))
def test_what_else_is_read_changes_no_snapshot(rule, seed, block):
    tape = tape_of(troubled(seed, rule))
    whole = Program(plan_that_reads(rule, "tick", "prints", "book", "snapshot")).push(tape)
    alone = Program(plan_that_reads(rule, "snapshot"), block).push(tape)["snapshot"]
    assert len(alone["quality"]) > 20
    for name, column in whole["snapshot"].items():
        assert alone[name].tobytes() == column.tobytes(), name
