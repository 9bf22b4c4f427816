"""Every normaliser answers the same whatever the unit and the origin of its input."""

import numpy as np
import pytest

from qf.testing.contract import Case, map_ops, parameter_sets
from qf.testing.contract.runs import run_compiled

ROWS = 400
NORMALIZERS = [op for op in map_ops("normalizers") if op.name != "none"]
every_normalizer = pytest.mark.parametrize("op", NORMALIZERS, ids=lambda op: op.name)


def run(op, bound, values):
    case = Case(op, tuple(bound.items()), "calm", "free")
    return run_compiled(case, {"x": np.asarray(values, float)})["out"]


@every_normalizer
def test_unit_and_origin_do_not_matter(op):
    values = np.random.default_rng(3).normal(size=ROWS).cumsum()
    for bound in parameter_sets(op):
        plain = run(op, bound, values)
        moved = run(op, bound, 1024.0 * values + 4096.0)
        np.testing.assert_allclose(moved, plain, rtol=1e-6, atol=1e-6)


@every_normalizer
def test_a_quiet_window_never_explodes(op):
    values = np.r_[np.random.default_rng(4).normal(size=100) * 1e6, np.full(ROWS, 0.1)]
    for bound in parameter_sets(op):
        tail = run(op, bound, values)[-ROWS // 2 :]
        known = tail[~np.isnan(tail)]
        assert np.abs(known).max(initial=0.0) <= 1.0
        assert len(set(known)) <= 1


@every_normalizer
def test_order_within_a_window_is_kept(op):
    """Of two histories that differ in the last row only, the larger one ranks no lower."""
    values = np.random.default_rng(5).normal(size=ROWS)
    for bound in parameter_sets(op):
        low, high = values.copy(), values.copy()
        low[-1], high[-1] = -0.7, 0.9
        a, b = run(op, bound, low)[-1], run(op, bound, high)[-1]
        assert not a > b


@pytest.mark.parametrize("name, low, high", [("minmax", 0.0, 1.0), ("rank", 0.0, 1.0)])
def test_ranges_are_kept(name, low, high):
    op = next(op for op in NORMALIZERS if op.name == name)
    for bound in parameter_sets(op):
        made = run(op, bound, np.random.default_rng(6).normal(size=ROWS))
        known = made[~np.isnan(made)]
        assert (known >= low).all() and (known <= high).all()


def test_minmax_expands_from_the_first_value():
    op = next(op for op in NORMALIZERS if op.name == "minmax")
    made = run(op, op.bind(), [np.nan, 5.0, 7.0, 6.0, np.nan, 3.0, 5.0])
    np.testing.assert_array_equal(made, [np.nan, np.nan, 1.0, 0.5, np.nan, 0.0, 0.5])


def test_a_zscore_without_the_current_row_can_pass_the_bound():
    op = next(op for op in NORMALIZERS if op.name == "rolling_zscore")
    values = np.r_[np.tile([0.0, 1.0], 20), 50.0]
    inside = run(op, op.bind(window=10), values)[-1]
    outside = run(op, op.bind(window=10, exclude_current="true"), values)[-1]
    assert inside <= 9 / np.sqrt(10) < outside
