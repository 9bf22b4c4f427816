"""Ops that break the contract, dropped in as files, are caught by the laws as they stand."""

import textwrap

import pytest

from qf.errors import QuantflowError
from qf.project.project_ops import load_project_ops, unload_project_ops
from qf.testing.contract import LAWS, broken_laws
from qf.testing.contract.documents import bounds_are_refused_with_a_good_error

HEAD = '''
"""planted(x, window): sum of the last `window` rows, planted with a fault.

    y[t] = x[t-window+1] + … + x[t]

Null until `window` rows exist and while one is null. Unit: the unit of x.
Source: the test suite.
"""

import math

from qf.op import MOMENT, define

op = define(
    "planted(x, window: 2..1000)",
    warmup=lambda window: {warmup},
    lookback=lambda window: {lookback},
    memory=lambda window: {memory},
    slots=lambda window: 4,
    ints=lambda window: 4,
    tolerance=MOMENT,
    example="planted(size, 5)",
)


@op.definition
def definition(x, window):
    return math.fsum(x[-window:])


@op.polars
def polars(x, window):
    return {polars}


@op.kernel
def kernel(x, lo, hi, row, out, params, state, ints):
    window = int(params[0])
'''

GOOD = """
    for t in range(lo, hi):
        total = 0.0
        for i in range(t - window + 1, t + 1):
            total += x[i]
        out[t] = total
"""
LOOKS_AHEAD = GOOD.replace("out[t] = total", "out[t] = total + 1e-6 * (x[t + 1] - x[t + 1])")
PEEKS = """
    for t in range(lo, hi):
        total = 0.0
        for i in range(t - window + 1, t + 1):
            total += x[i]
        out[t] = total if x[t + 1] != 12345.0 and x[t + 1] < 1e6 else total * (1.0 + 1e-12)
"""
FORGETS = """
    total = 0.0
    for i in range(lo - window, lo):
        total += x[i] if x[i] == x[i] else 0.0
    for t in range(lo, hi):
        total += x[t] - (x[t - window] if x[t - window] == x[t - window] else 0.0)
        out[t] = total if row + t - lo >= window - 1 else math.nan
"""
COUNTS_FROM_THE_BLOCK = """
    total = state[0]
    for t in range(lo, hi):
        total += x[t] if x[t] == x[t] else 0.0
        total -= x[t - window] if x[t - window] == x[t - window] else 0.0
        if (t - lo) % window == 0:
            total = 0.0
            for i in range(t - window + 1, t + 1):
                total += x[i] if x[i] == x[i] else 0.0
        if x[t] == x[t]:
            ints[0] += 1
        if x[t - window] == x[t - window]:
            ints[0] -= 1
        out[t] = total if ints[0] == window else math.nan
    state[0] = total
"""
NEVER_HEALS = GOOD.replace(
    "out[t] = total",
    "ints[0] += 1 if x[t] != x[t] else 0\n        out[t] = total if ints[0] == 0 else math.nan",
)
DRIFTS_LATE = GOOD.replace(
    "out[t] = total", "out[t] = total * (1.0 + 1e-8 * max(row + t - lo - 1000, 0))"
)
# Compiled, the product wraps to 0; Python's whole numbers have no end.
WRAPS = GOOD.replace(
    "out[t] = total", "out[t] = total if (4611686018427387904 + 0 * lo) * 4 == 0 else total + 1.0"
)
DEFAULTS = {
    "warmup": "window - 1",
    "lookback": "window",
    "memory": "window",
    "polars": "x.rolling_sum(window)",
}
PLANTED = {
    "sound": (GOOD, {}, set()),
    "looks ahead": (LOOKS_AHEAD, {}, {"the_past_never_changes_when_the_future_does"}),
    "peeks one row, rarely": (PEEKS, {}, {"the_past_never_changes_when_the_future_does"}),
    "forgets its state": (FORGETS, {}, {"cutting_the_stream_changes_no_bit"}),
    "re-anchors by block": (COUNTS_FROM_THE_BLOCK, {}, {"cutting_the_stream_changes_no_bit"}),
    "says another sum": (
        GOOD.replace("out[t] = total", "out[t] = total * (1.0 + 1e-8)"),
        {},
        {"kernel_equals_definition"},
    ),
    "drifts after a thousand rows": (DRIFTS_LATE, {}, {"long_runs_do_not_drift"}),
    "never heals after a null": (NEVER_HEALS, {}, {"null_in_stays_defined"}),
    "means less compiled than read": (WRAPS, {}, {"plain_python_equals_compiled"}),
    "warms up too late": (GOOD, {"warmup": "window - 2"}, {"warmup_is_exact"}),
    "reads more than it says": (GOOD, {"lookback": "window - 2"}, {"lookback_is_enough"}),
    "remembers more than it says": (GOOD, {"memory": "window - 1"}, {"memory_is_enough"}),
    "calls Python from Polars": (
        GOOD,
        {"polars": "x.rolling_map(sum, window)"},
        {"polars_rule_is_native"},
    ),
    "means two things": (
        GOOD,
        {"polars": "x.rolling_sum(window) * (1 + 1e-8)"},
        {"polars_equals_definition"},
    ),
    "lets Polars say NaN": (
        GOOD,
        {"polars": "x.rolling_sum(window) / (x - x)"},
        {"polars_equals_definition"},
    ),
}


# What the tests of whole files at the end break, each with a file of its own.
OF_FILES = {
    "is_documented",
    "example_compiles",
    "gaps_are_strict",
    "bounds_are_refused_with_a_good_error",
}


@pytest.fixture
def drop_in(tmp_path):
    """Load an op from a file of its own, as a project's ops load, and forget it after."""
    folder = tmp_path / ".definitions" / "ops"
    folder.mkdir(parents=True)

    def drop(text):
        (folder / "planted.py").write_text(text)
        (op,) = load_project_ops(tmp_path, {}, trusted=True)
        return op

    yield drop
    unload_project_ops()


@pytest.mark.parametrize("name", PLANTED)
def test_the_fault_is_caught(name, drop_in):
    body, changed, expected = PLANTED[name]
    op = drop_in(HEAD.format(**{**DEFAULTS, **changed}).lstrip() + body)
    said = broken_laws(op)
    assert bool(said) == bool(expected), said
    for law in expected:
        assert any(law in line for line in said), (law, said)


def test_every_law_has_a_fault_that_breaks_it():
    broken = set().union(*(expected for _, _, expected in PLANTED.values()))
    assert broken | OF_FILES == {law.__name__ for law in LAWS}


def test_an_op_that_takes_any_parameter_is_refused(drop_in, monkeypatch):
    op = drop_in(HEAD.format(**DEFAULTS).lstrip() + GOOD)
    bounds_are_refused_with_a_good_error(op)
    monkeypatch.setattr(op, "bind", lambda **given: given)
    with pytest.raises(QuantflowError, match="bounds_are_refused_with_a_good_error"):
        bounds_are_refused_with_a_good_error(op)


def test_undocumented_and_unbounded_files_are_refused(drop_in):
    op = drop_in(
        textwrap.dedent("""
        from qf.op import define

        op = define("planted(x)", example="other(x)")


        @op.kernel
        def kernel(x, lo, hi, out):
            for t in range(lo, hi):
                out[t] = x[t]
        """)
    )
    said = "\n".join(broken_laws(op))
    for law in ("is_documented", "example_compiles", "gaps_are_strict"):
        assert law in said


def test_a_closed_gap_must_be_taken_out(drop_in):
    op = drop_in(HEAD.format(**DEFAULTS).lstrip() + GOOD)
    op.polars_missing("there is no native expression for it")
    assert any("gaps_are_strict" in line for line in broken_laws(op))
