"""Seeds of half an hour under every fault: no oracle is broken."""

from __future__ import annotations

import os

import pytest

from tests.simulator.campaigns import clean

# All of them with QF_LONG=1: the suite has fifteen minutes on two cores.
SEEDS, PARTS = (32 if os.environ.get("QF_LONG") == "1" else 16), 8


@pytest.mark.parametrize("part", range(PARTS))
def test_no_oracle_is_broken_under_every_fault(part):
    totals = clean(range(part, SEEDS, PARTS), "all")
    assert totals.crashes > 0
    assert sum(totals.faults.values()) > totals.crashes
