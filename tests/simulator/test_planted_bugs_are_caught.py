"""What the oracles are worth: each planted bug breaks one within twenty seeds, or in its course."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from qf.simulator.schedule import Course, draw_course, read_course
from qf.simulator.seeds import run_course
from tests.simulator.bugs import BUGS

SEEDS, MINUTES = 20, 6.0
# The whole list takes minutes: each run of the suite takes a few, QF_LONG=1 all of them.
QUICK = (
    "act_before_append",
    "ban_is_forgotten_at_a_restart",
    "bans_are_ignored",
    "checkpoint_position_off_by_one",
    "checkpoint_without_sync",
    "crossed_book_is_valid",
    "duplicate_after_a_restart",
    "frames_change_places",
    "torn_tail_is_kept",
)
CHOSEN = sorted(BUGS) if os.environ.get("QF_LONG") == "1" else QUICK


def courses_of(name: str) -> Iterator[Course]:
    """Yield the campaigns that may show a bug."""
    profile = BUGS[name].profile
    if profile.endswith(".json"):
        yield read_course((Path(__file__).parent / "regressions" / profile).read_text())
        return
    for seed in range(SEEDS):
        yield draw_course(seed, MINUTES, profile)


@pytest.mark.parametrize("name", CHOSEN)
def test_a_planted_bug_is_caught_within_twenty_seeds(name, monkeypatch):
    BUGS[name].plant(monkeypatch)
    assert any(run_course(course).problems for course in courses_of(name))


def test_there_are_enough_of_them():
    assert len(BUGS) >= 15
