"""Every op whose rows map to rows keeps the contract; a new op file is tested without a new test.

Hypothesis draws the cuts; everything else is decided by the case (see qf.testing.contract.cases).
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qf.testing.contract import LAWS, cases_of, laws, map_ops
from qf.testing.contract.cases import ROWS, has_kernel
from qf.testing.contract.laws import LONG

OPS = map_ops("ops", "detectors", "normalizers", "staleness", "quality")
every_op = pytest.mark.parametrize("op", OPS, ids=[f"{op.family}.{op.name}" for op in OPS])
with_loops = [op for op in OPS if has_kernel(op)]
every_kernel = pytest.mark.parametrize(
    "op", with_loops, ids=[f"{op.family}.{op.name}" for op in with_loops]
)
few = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


# All laws of one op, then those of the next: they share what its rules made (see contract.runs).
@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
@every_op
def test_law(law, op):
    law(op)


@every_kernel
@few
@given(
    cuts=st.lists(st.integers(1, ROWS - 1) | st.integers(1, LONG - 1), max_size=12),
    block=st.sampled_from([1, 5, 32, 2048]),
    chosen=st.integers(0, 1000),
)
def test_cutting_anywhere_with_save_and_restore_changes_no_bit(op, cuts, block, chosen):
    cases = list(cases_of(op))
    laws.check_cut(cases[chosen % len(cases)], cuts, block)


@every_kernel
@few
@given(cuts=st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=1))
def test_the_past_never_changes_wherever_the_future_begins(op, cuts):
    laws.the_past_never_changes_when_the_future_does(op, cuts)
