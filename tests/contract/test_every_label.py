"""Every label looks ahead only as far as it says, and is written when it is decided."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.op import family
from qf.testing.contract.documents import bounds_are_refused_with_a_good_error, gaps_are_strict
from qf.testing.contract_bars import says_what_it_means
from qf.testing.contract_labels import (
    LABEL_LAWS,
    TRADES,
    cut_label,
    label_equals_definition,
    label_specs,
)

LABELS = list(family("labels"))
every_label = pytest.mark.parametrize("op", LABELS, ids=[op.name for op in LABELS])
LAWS = (
    *LABEL_LAWS,
    says_what_it_means,
    gaps_are_strict,
    bounds_are_refused_with_a_good_error,
)


@every_label
@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_law(law, op):
    assert law(op) is None


@every_label
@settings(max_examples=20)
@given(
    chosen=st.integers(0, 1000),
    cuts=st.lists(st.integers(1, TRADES - 1), max_size=8),
    block=st.sampled_from([1, 3, 64]),
    seed=st.integers(0, 10**6),
)
def test_cutting_anywhere_changes_no_bit(op, chosen, cuts, block, seed):
    specs = list(label_specs(op, seed))
    number, spec = specs[chosen % len(specs)]
    assert cut_label(spec, number, cuts, block) is None


@every_label
@settings(max_examples=4)
@given(seed=st.integers(0, 10**6))
def test_every_label_equals_brute_force_on_random_trades(op, seed):
    assert label_equals_definition(op, seed, share=9) is None
