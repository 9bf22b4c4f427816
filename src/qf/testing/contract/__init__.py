"""The laws every op keeps, as public functions: `qf check` runs them on a project's own ops.

    for op in map_ops("ops"):
        check(op)          # raises at the first broken law

Each law takes an op and raises QF820 (`BROKEN_LAW`) with the op, the law, the market and the row.
Here are the laws of shape `map` (rows to the same rows): functions, bar rules, normalisers and
staleness rules. Shapes that make rows have laws of their own beside their engines.
"""

from __future__ import annotations

from qf.op import Op
from qf.testing.contract.cases import Case, cases_of, map_ops, parameter_sets
from qf.testing.contract.compare import BROKEN_LAW
from qf.testing.contract.documents import (
    bounds_are_refused_with_a_good_error,
    example_compiles,
    gaps_are_strict,
    is_documented,
    polars_rule_is_native,
)
from qf.testing.contract.laws import (
    cutting_the_stream_changes_no_bit,
    kernel_equals_definition,
    long_runs_do_not_drift,
    lookback_is_enough,
    memory_is_enough,
    null_in_stays_defined,
    plain_python_equals_compiled,
    polars_equals_definition,
    the_past_never_changes_when_the_future_does,
    warmup_is_exact,
)

__all__ = [
    "BROKEN_LAW",
    "LAWS",
    "Case",
    "broken_laws",
    "cases_of",
    "check",
    "map_ops",
    "parameter_sets",
]

LAWS = (
    is_documented,
    example_compiles,
    gaps_are_strict,
    polars_rule_is_native,
    bounds_are_refused_with_a_good_error,
    kernel_equals_definition,
    polars_equals_definition,
    long_runs_do_not_drift,
    null_in_stays_defined,
    warmup_is_exact,
    the_past_never_changes_when_the_future_does,
    cutting_the_stream_changes_no_bit,
    plain_python_equals_compiled,
    lookback_is_enough,
    memory_is_enough,
)


def check(op: Op) -> None:
    """Hold one op to every law. Errors: QF820 at the first that it breaks."""
    for law in LAWS:
        law(op)


def broken_laws(op: Op) -> list[str]:
    """Return what each broken law says, in the order of `LAWS`; empty where all hold."""
    said = []
    for law in LAWS:
        try:
            law(op)
        except Exception as error:  # a rule may fail in any way; the report names the law
            told = str(error)
            said.append(told if law.__name__ in told else f"{law.__name__}: {told}")
    return said
