"""Each mistake of the corpus, planted in the product's own code, is found by poison and named."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from qf.project import open_project
from qf.proof.poison import poison
from tests.proof.leak_project import forget_kernels, make

CODE = sorted((Path(__file__).parent / "leaks" / "code").glob("*.py"))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return open_project(make(tmp_path_factory.mktemp("leaks") / "plain"))


@pytest.fixture
def planted(request, monkeypatch):
    """Give the corpus file as a module whose mistake is in the product for this test."""
    name = f"planted_{request.param.stem}"
    spec = importlib.util.spec_from_file_location(name, request.param)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    module.plant(monkeypatch)
    in_a_kernel = hasattr(module, "kernel")  # its text is read again, and no other mistake's
    if in_a_kernel:
        forget_kernels()
    yield module
    monkeypatch.undo()
    if in_a_kernel:
        forget_kernels()


@pytest.mark.parametrize("planted", CODE, ids=lambda path: path.stem, indirect=True)
def test_poison_finds_the_mistake(planted, project):
    report = poison(project, planted.INSTANTS, engines=[planted.ENGINE])
    assert not report.clean
    tables = {leak.table for leak in report.leaks}
    assert tables & set(planted.LEAKS), (tables, planted.LEAKS)
    assert all(leak.known <= leak.instant for leak in report.leaks)


def test_without_a_mistake_there_is_no_alarm(project):
    report = poison(project, 8)
    assert report.clean, report.lines()
    assert report.engines == ["machine", "polars", "frames", "growth"]
    assert all(report.tables.values()), report.tables
