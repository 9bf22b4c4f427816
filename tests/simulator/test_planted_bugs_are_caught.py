"""What the oracles are worth: each planted bug breaks one within twenty seeds."""

from __future__ import annotations

import os

import pytest

from qf.simulator.schedule import draw_course
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


def caught_at(name: str) -> int | None:
    """Return the first seed whose campaign shows the bug."""
    for seed in range(SEEDS):
        if run_course(draw_course(seed, MINUTES, BUGS[name].profile)).problems:
            return seed
    return None


@pytest.mark.parametrize("name", CHOSEN)
def test_a_planted_bug_is_caught_within_twenty_seeds(name, monkeypatch):
    BUGS[name].plant(monkeypatch)
    assert caught_at(name) is not None


def test_there_are_enough_of_them():
    assert len(BUGS) >= 15
