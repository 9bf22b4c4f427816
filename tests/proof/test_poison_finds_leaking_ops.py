"""Every leaking op of the corpus is found by the contract suite and by poison, and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from qf.op import find
from qf.project import open_project
from qf.project.project_ops import unload_project_ops
from qf.proof.poison import poison
from qf.testing.contract.laws import (
    polars_equals_definition,
    the_past_never_changes_when_the_future_does,
)
from tests.proof.leak_project import make

OPS = sorted((Path(__file__).parent / "leaks" / "ops").glob("*.py"))
NAMES = [path.stem for path in OPS]
AS_IT_IS = {"normalization": {"method": "none", "warmup_bars": 0}}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Give a project with a feature over each leaking op."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QF_TRUST", "1")
        folder = tmp_path_factory.mktemp("leaks") / "leaky"
        types = {f"{name}_seen": f"{name}(price, 20)" for name in NAMES}
        yield open_project(make(folder, types, OPS, AS_IT_IS))
    unload_project_ops()


@pytest.fixture(scope="module")
def report(project):
    return poison(project, 9)


def engine_of(name):
    """The file's name says which of its rules looks ahead; the other is sound."""
    return "polars" if name.startswith("polars_") else "machine"


@pytest.mark.parametrize("name", NAMES)
def test_poison_names_the_column_and_the_op(name, report):
    found = [leak for leak in report.leaks if f"{name}_seen" in (leak.column, *leak.of)]
    assert {leak.engine for leak in found} == {engine_of(name)}
    for leak in found:
        assert leak.known <= leak.instant
        assert f"{name}(price, 20)" in leak.source, leak.source
        assert f"{name}_seen" in leak.line()
    assert any(f"ops/{name}" in leak.source for leak in found)


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_suite_finds_it_too(name, project):
    laws = {
        "machine": the_past_never_changes_when_the_future_does,
        "polars": polars_equals_definition,
    }
    with pytest.raises(Exception, match=name):
        laws[engine_of(name)](find(name, "ops"))


def test_the_tables_that_no_op_touches_are_clean(report):
    assert {leak.table for leak in report.leaks} == {"features", "feature_vectors_chosen"}
