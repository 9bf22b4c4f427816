"""Over regular rows every rolling function says of a time what it says of a number of rows."""

from __future__ import annotations

import numpy as np
import pytest

import qf
from formula.sample import market
from qf.language.context import functions

FORMS = sorted(name for name, op in functions().items() if op.window_form)
ROWS, SECOND = 1_300, 1_000_000_000
ARGUMENTS = {"rolling_quantile": ", q=0.3", "rolling_autocorr": ", lag=3"}
LAG = 3  # rows: the time form's pairs lie inside the window, the row form's window is of pairs


def regular() -> dict[str, np.ndarray]:
    columns = market(ROWS, 12)
    columns["processed_time"] = np.arange(ROWS) * SECOND
    return columns


def call_of(name: str, window: str) -> str:
    op = functions()[name]
    given = {"x": "mid", "y": "weighted_mid", "condition": "direction > 0"}
    inputs = [given[each.name] for each in op.signature.inputs]
    return f"{name}({', '.join(inputs)}, window={window}{ARGUMENTS.get(name, '')})"


def test_every_rolling_statistic_of_rows_has_a_form_over_time():
    named = {
        name.removeprefix("rolling_")
        for name in FORMS
        if functions()[name].window_form == f"window_{name.removeprefix('rolling_')}"
    }
    wanted = "sum mean count min max var std zscore minmax median rank corr cov autocorr skew kurt"
    assert set(wanted.split()) | {"slope", "r2", "quantile", "entropy", "rank_corr"} <= named


@pytest.mark.parametrize("name", FORMS)
def test_a_duration_keeps_inputs_parameters_and_meaning(name):
    op = functions()[name]
    form = functions()[op.window_form]
    assert [i.name for i in form.signature.inputs if i.kind != "time"] == [
        i.name for i in op.signature.inputs
    ]
    assert {p.name for p in op.signature.parameters} <= {p.name for p in form.signature.parameters}
    assert form.unit == (f"{op.unit}/s" if name == "rolling_slope" else op.unit)


@pytest.mark.parametrize("name", FORMS)
def test_over_rows_a_second_apart_a_time_is_a_number_of_rows(name):
    columns = regular()
    rows = 20 - LAG if name == "rolling_autocorr" else 20
    by_rows = qf.formula(call_of(name, str(rows))).run(columns)
    by_time = qf.formula(call_of(name, '"20s"')).run(columns)
    late = slice(25, None)
    assert np.array_equal(np.isnan(by_rows[late]), np.isnan(by_time[late]))
    known = ~np.isnan(by_rows[late])
    assert known.sum() > 500
    np.testing.assert_allclose(by_time[late][known], by_rows[late][known], rtol=1e-7, atol=1e-9)
