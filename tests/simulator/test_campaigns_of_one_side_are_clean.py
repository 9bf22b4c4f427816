"""Seeds of half an hour with a bad venue, or a bad machine: no oracle is broken."""

from __future__ import annotations

import pytest

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
