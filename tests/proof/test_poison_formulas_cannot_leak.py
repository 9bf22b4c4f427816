"""The language has no words for looking ahead: each attempt of the corpus is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

import qf
from qf.errors import DefinitionError
from qf.op import find
from qf.program import Plan, Program

FORMULAS = sorted((Path(__file__).parent / "leaks" / "formulas").glob("*.yml"))


@pytest.mark.parametrize("path", FORMULAS, ids=lambda path: path.stem)
def test_the_formula_is_refused_with_its_place(path):
    leak = yaml.safe_load(path.read_text())
    with pytest.raises(DefinitionError) as refused:
        qf.formula(leak["formula"])
    assert refused.value.code == leak["code"]
    assert refused.value.place is not None


def test_a_negative_lag_would_leak_if_the_bound_were_not_there(monkeypatch):
    """The bound is what stands between the kernel and the next row."""
    op = find("lag", "ops")
    made = []
    for later in (3.0, 900.0):
        plan = Plan()
        plan.clock("rows")
        column = plan.feed("x")
        lagged = plan.one(op, [column], rows=1)
        place = next(i for i, each in enumerate(plan.instructions) if each.op is op)
        changed = plan.instructions[place]
        plan.instructions[place] = type(changed)(
            **{**vars(changed), "parameters": tuple(-p for p in changed.parameters)}
        )
        plan.read("y", lagged)
        rows = np.array([1.0, 2.0, later])
        made.append(Program(plan).push({"x": rows})["rows"]["y"][:2])
    assert made[0][1] != made[1][1]
