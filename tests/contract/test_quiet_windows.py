"""A window of equal values has exactly their mean and exactly no spread, whatever came before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qf.op import find
from qf.testing.contract import Case
from qf.testing.contract.runs import run_compiled, run_polars

EXACT = {
    "rolling_mean": lambda value: value,
    "rolling_std": lambda value: 0.0,
    "rolling_var": lambda value: 0.0,
    "rolling_zscore": lambda value: 0.0,
    "rolling_min": lambda value: value,
    "rolling_median": lambda value: value,
    "rolling_rank": lambda value: 0.5,
}


def history(value, window, seed):
    draw = np.random.default_rng(seed)
    noise = value + draw.normal(size=37) * 10.0 ** draw.integers(-6, 9)
    return np.r_[noise, np.full(3 * window, value), noise[:5], np.full(window + 2, value)]


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=25, deadline=None)
@given(
    value=st.floats(-1e8, 1e8, allow_subnormal=False),
    window=st.sampled_from([2, 3, 7, 20, 49]),
    seed=st.integers(0, 10**6),
)
def test_quiet_windows_are_exact(name, value, window, seed):
    columns = {"x": history(value, window, seed)}
    case = Case(find(name, "ops"), (("window", window),), "calm", "free")
    x = columns["x"]
    quiet = [t for t in range(window, len(x)) if len(set(x[t - window + 1 : t + 1])) == 1]
    assert len(quiet) > window
    for run in (run_compiled, run_polars):
        assert set(run(case, columns)["out"][quiet]) == {EXACT[name](value)}


def test_a_quiet_time_window_has_exactly_its_value():
    op = find("window_mean", "ops")
    case = Case(op, tuple(op.bind(window="2s").items()), "calm", "free")
    time = np.arange(400, dtype=np.int64) * 100_000_000
    x = np.r_[np.random.default_rng(1).normal(size=100) * 1e6, np.full(300, 0.1)]
    made = run_compiled(case, {"x": x, "time": time})["out"]
    assert set(made[130:]) == {0.1}
