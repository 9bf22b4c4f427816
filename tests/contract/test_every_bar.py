"""Every bar rule in the book keeps the contract; a new rule file is tested without a new test."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.bar_clock import bar_rules
from qf.op import find
from qf.testing.contract.documents import (
    bounds_are_refused_with_a_good_error,
    gaps_are_strict,
)
from qf.testing.contract_bars import ROWS, RULE_LAWS, cut_clock, rule_clocks, says_what_it_means

RULES = bar_rules()
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@every_rule
@pytest.mark.parametrize("law", RULE_LAWS, ids=[law.__name__ for law in RULE_LAWS])
def test_law(law, rule):
    assert law(rule) is None


@every_rule
@settings(max_examples=15)
@given(
    chosen=st.integers(0, 1000),
    cuts=st.lists(st.integers(1, ROWS - 1), max_size=8),
    block=st.sampled_from([1, 3, 64]),
    seed=st.integers(0, 10**6),
)
def test_cutting_anywhere_changes_no_bit(rule, chosen, cuts, block, seed):
    clocks = list(rule_clocks(rule))
    assert cut_clock(clocks[chosen % len(clocks)], seed, cuts, block) is None


@pytest.mark.parametrize(
    "op", [*RULES.values(), find("fold", "bars"), find("in_units", "bars")], ids=lambda op: op.name
)
def test_it_says_what_it_means_and_its_bounds_hold(op):
    laws = (says_what_it_means, gaps_are_strict, bounds_are_refused_with_a_good_error)
    assert [law(op) for law in laws] == [None] * 3
