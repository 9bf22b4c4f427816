"""Every staleness rule leaves fresh values alone and never revives an old one."""

import numpy as np
import pytest

from qf.schema import NULL_INT
from qf.testing.contract import Case, map_ops, parameter_sets
from qf.testing.contract.runs import run_compiled

MS = 1_000_000
RULES = map_ops("staleness")
every_rule = pytest.mark.parametrize("op", RULES, ids=lambda op: op.name)


def run(op, bound, value, ages):
    case = Case(op, tuple(bound.items()), "calm", "free")
    ages = np.asarray(ages, np.int64)
    return run_compiled(case, {"x": np.full(len(ages), value), "age": ages})["out"]


@every_rule
def test_up_to_the_ttl_a_value_is_as_it_is(op):
    for bound in parameter_sets(op):
        ttl = bound["ttl_ms"] * MS
        for value in (3.25, -1e-7, 0.0):
            assert (run(op, bound, value, [0, 1, ttl // 2, ttl]) == value).all()


@every_rule
def test_older_is_never_more(op):
    ages = np.unique(np.geomspace(1, 6e17, 400).astype(np.int64))
    for bound in parameter_sets(op):
        for value in (2.0, -2.0):
            # nothing is less than any size
            size = np.nan_to_num(np.abs(run(op, bound, value, ages)), nan=-1.0)
            assert (np.diff(size) <= 0.0).all()


@every_rule
def test_no_row_yet_is_null(op):
    for bound in parameter_sets(op):
        assert np.isnan(run(op, bound, 1.0, [NULL_INT])).all()


@every_rule
def test_a_null_row_stays_null(op):
    for bound in parameter_sets(op):
        assert np.isnan(run(op, bound, np.nan, [0, 10**12])).all()


def test_decay_halves_every_half_life():
    (op,) = (rule for rule in RULES if rule.name == "decay")
    ages = [5_000 * MS, 10_000 * MS, 15_000 * MS]
    np.testing.assert_allclose(run(op, op.bind(ttl_ms=5_000), 8.0, ages), [8.0, 4.0, 2.0])
    chosen = op.bind(ttl_ms=5_000, half_life_ms=2_500)
    np.testing.assert_allclose(run(op, chosen, 8.0, ages), [8.0, 2.0, 0.5])
