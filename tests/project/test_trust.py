"""A project's own code runs only after its exact content was trusted; formulas need no trust."""

from __future__ import annotations

import os

import pytest

from qf.errors import QuantflowError
from qf.op import BOOK, find
from qf.project import trust
from qf.project.project_ops import load_project_ops, project_ops, unload_project_ops

CODE = '''"""twice(x): two times x.

    y = 2 x

Null rule: null in, null out. Unit: the unit of x. Source: definition.
"""

from qf.op import define

op = define("twice(x)", example="twice(price)")


@op.kernel
def kernel(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = 2.0 * x[t]
'''
FORMULA = "name: half\ndescription: Half.\nsignature: half(x)\nformula: x / 2\n"


@pytest.fixture
def folder(tmp_path):
    ops = tmp_path / "p" / ".definitions" / "ops"
    ops.mkdir(parents=True)
    yield tmp_path / "p"
    unload_project_ops()


@pytest.fixture
def home(tmp_path):
    return {"XDG_CONFIG_HOME": str(tmp_path / "home")}


def write(folder, name, text):
    (folder / ".definitions" / "ops" / name).write_text(text)


def refused(folder, home):
    with pytest.raises(QuantflowError) as caught:
        load_project_ops(folder, home)
    return caught.value


def test_code_is_refused_until_trusted_and_after_every_change(folder, home):
    write(folder, "twice.py", CODE)
    error = refused(folder, home)
    assert error.code == "QF290" and "twice.py" in error.sentence
    trust.record_trust(folder, home)
    assert [op.name for op in load_project_ops(folder, home)] == ["twice"]
    assert find("twice", "ops").family == "ops"
    write(folder, "twice.py", CODE + "\n")
    assert "changed since" in refused(folder, home).sentence
    write(folder, "twice.py", CODE)
    assert load_project_ops(folder, home)


def test_untrusted_code_is_not_even_imported(folder, home):
    marker = folder / "ran"
    write(folder, "twice.py", f"open({str(marker)!r}, 'w')\n")
    refused(folder, home)
    assert not marker.exists()


def test_an_added_file_asks_again(folder, home):
    write(folder, "twice.py", CODE)
    trust.record_trust(folder, home)
    write(folder, "aside.txt", "data that code may read")
    assert refused(folder, home).code == "QF290"


def test_trust_can_be_taken_back_and_given_for_one_command(folder, home):
    write(folder, "twice.py", CODE)
    trust.record_trust(folder, home)
    assert trust.forget_trust(folder, home) and not trust.forget_trust(folder, home)
    assert refused(folder, home).code == "QF290"
    assert load_project_ops(folder, {**home, "QF_TRUST": "1"})


def test_the_list_of_trusted_folders_is_the_users_own(folder, home):
    trust.record_trust(folder, home)
    path = trust.trust_file(home)
    assert os.stat(path).st_mode & 0o777 == 0o600
    path.write_text("[]")
    write(folder, "twice.py", CODE)
    assert refused(folder, home).code == "QF291"


def test_compiled_leftovers_are_never_run(folder, home):
    """A planted .pyc with the source's time and size would be preferred by a plain import."""
    import importlib.util
    import py_compile

    write(folder, "twice.py", CODE)
    source = folder / ".definitions" / "ops" / "twice.py"
    marker = folder / "ran"
    evil = f"open({str(marker)!r}, 'w')  "
    evil += "#" * (len(CODE) - len(evil))
    source.write_text(evil)
    stamp = source.stat()
    py_compile.compile(str(source), importlib.util.cache_from_source(str(source)))
    source.write_text(CODE)
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    trust.record_trust(folder, home)
    assert [op.name for op in load_project_ops(folder, home)] == ["twice"]
    assert not marker.exists()


def test_a_formula_needs_no_trust(folder, home):
    write(folder, "half.yml", FORMULA)
    assert [op.name for op in load_project_ops(folder, home)] == ["half"]
    assert find("half", "ops").rules["formula"] == "x / 2"


def test_a_broken_file_leaves_no_op_behind(folder, home):
    write(folder, "half.yml", FORMULA)
    write(folder, "zzz.py", "raise ValueError('no')\n")
    error = refused(folder, {**home, "QF_TRUST": "1"})
    assert error.code == "QF292" and error.place is not None and error.place.line == 1
    assert project_ops() == [] and "ops.half" not in BOOK


def test_opening_another_project_takes_the_first_ones_ops_out(folder, home, tmp_path):
    write(folder, "half.yml", FORMULA)
    load_project_ops(folder, home)
    (tmp_path / "q").mkdir()
    load_project_ops(tmp_path / "q", home)
    assert "ops.half" not in BOOK


def test_a_formula_op_can_be_used_in_a_formula(folder, home):
    from qf.language.columns import ColumnTable
    from qf.language.compile import compile_formula

    write(folder, "half.yml", FORMULA)
    load_project_ops(folder, home)
    graph = compile_formula("half(price)", table=ColumnTable.tick())
    assert graph.columns == ("price",) and "half" not in graph.written
