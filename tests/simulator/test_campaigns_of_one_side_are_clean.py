"""Seeds of half an hour with a bad venue, or a bad machine: no oracle is broken."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from qf.exchange.plan import Planned
from qf.simulator.schedule import VENUES, draw_course
from qf.simulator.seeds import run_course
from tests.simulator.campaigns import clean

SEEDS, PARTS = 14, 4


@pytest.mark.parametrize("part", range(PARTS))
def test_no_oracle_is_broken_by_the_venue(part):
    assert clean(range(part, SEEDS, PARTS), "venue").crashes == 0


@pytest.mark.parametrize("part", range(PARTS))
def test_no_oracle_is_broken_by_the_machine(part):
    assert clean(range(part, SEEDS, PARTS), "machine").crashes > 0


def test_no_oracle_is_broken_where_the_book_is_taken_alone():
    totals = clean(range(1), "book")
    assert totals.crashes > 0 and totals.counts["comparisons"] > 10_000


@pytest.mark.parametrize("venue", VENUES)
def test_a_book_is_right_whose_side_was_empty_and_came_back_near_and_far(venue):
    seed = next(n for n in itertools.count() if draw_course(n, 10.0, "book").venue == venue)
    course = draw_course(seed, 10.0, "book")
    sides = [
        Planned("one_sided", 25.0 + 20 * n, course.symbol, seconds=3.0, draw=n) for n in range(20)
    ]
    report = run_course(dataclasses.replace(course, planned=tuple(sides), troubles=()))
    assert report.problems == [] and report.counts["wrong_books"] == 0
    assert report.faults["one_sided"] == 20 and report.counts["comparisons"] > 2_000
