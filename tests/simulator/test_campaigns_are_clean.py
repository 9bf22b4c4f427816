"""Seeds of half an hour under every fault: no oracle is broken."""

from __future__ import annotations

import pytest

from tests.simulator.campaigns import clean

SEEDS, PARTS = 32, 8


@pytest.mark.parametrize("part", range(PARTS))
def test_no_oracle_is_broken_under_every_fault(part):
    totals = clean(range(part, SEEDS, PARTS), "all")
    assert totals.crashes > 0
    assert sum(totals.faults.values()) > totals.crashes
