"""The machine's own promises: state belongs to its plan, equal work is done once, edits count."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qf import kernel
from qf.errors import QuantflowError
from qf.op import BOOK, find
from qf.program import Plan, Program


def plan_of(window=20):
    """Return a plan of two instructions over one column."""
    plan = Plan()
    plan.clock("rows")
    x = plan.feed("x")
    lagged = plan.one(find("lag", "ops"), [x], rows=3)
    plan.read("y", plan.one(find("rolling_sum", "ops"), [lagged], window=window))
    return plan


def test_equal_instructions_are_one():
    plan = plan_of()
    again = plan.one(find("lag", "ops"), [plan.feeds[0][1]], rows=3)
    assert len(plan.instructions) == 2
    assert again == plan.instructions[0].outputs[0]


def test_a_state_loads_only_into_its_own_plan():
    saved = Program(plan_of(20)).save()
    with pytest.raises(QuantflowError) as caught:
        Program(plan_of(21)).restore(saved)
    assert caught.value.code == "QF430"


@pytest.mark.parametrize("damage", ["torn", "zeroed", "flipped", "other"])
def test_a_damaged_state_is_refused_and_changes_nothing(damage):
    x = np.arange(100.0)
    program = Program(plan_of())
    program.push({"x": x})
    saved = program.save()
    bad = {
        "torn": saved[:-40],
        "zeroed": saved[:200] + bytes(len(saved) - 200),
        "flipped": saved[:-9] + bytes([saved[-9] ^ 1]) + saved[-8:],
        "other": b"PK" + saved[2:],
    }[damage]
    with pytest.raises(QuantflowError) as caught:
        program.restore(bad)
    assert caught.value.code == "QF431"
    assert program.save() == saved


def test_a_wrong_feed_is_refused_by_name():
    with pytest.raises(QuantflowError) as caught:
        Program(plan_of()).push({"y": np.zeros(3)})
    assert caught.value.code == "QF432"
    assert "x" in str(caught.value)


def test_an_edit_of_a_kernel_is_a_new_kernel(tmp_path):
    text = (
        "from qf.op import define\n"
        "op = define('planted_edit(x)')\n"
        "@op.kernel\n"
        "def kernel(x, lo, hi, out):\n"
        "    for t in range(lo, hi):\n"
        "        out[t] = x[t] + 1.0\n"
    )
    found = []
    for place, body in enumerate((text, text.replace("+ 1.0", "+ 2.0"))):
        file = tmp_path / f"planted_edit_{place}.py"
        file.write_text(body)
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[file.stem] = module
        try:
            spec.loader.exec_module(module)
            plan = Plan()
            plan.clock("rows")
            plan.read("y", plan.one(module.op, [plan.feed("x")]))
            made = Program(plan).push({"x": np.zeros(1)})["rows"]["y"][0]
            found.append((made, kernel.kernel_hash(module.op)))
        finally:
            BOOK.pop("ops.planted_edit", None)
            sys.modules.pop(file.stem, None)
    assert [value for value, _ in found] == [1.0, 2.0]
    assert found[0][1] != found[1][1]


def test_a_kernel_cache_that_others_can_write_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("QF_KERNEL_CACHE", str(tmp_path))
    folder = kernel.cache_folder()
    folder.chmod(0o777)
    with pytest.raises(QuantflowError) as caught:
        kernel.cache_folder()
    assert caught.value.code == "QF420"


def test_a_second_process_finds_the_kernels_compiled(tmp_path):
    script = (
        "import sys, time; from qf.op import find; from qf import kernel;"
        "op = find('lag', 'ops'); was = kernel.is_cached(op); kernel.address(op);"
        "print(was, kernel.is_cached(op))"
    )
    env = {"QF_KERNEL_CACHE": str(tmp_path), "PATH": "", "HOME": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=env, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert runs == [["False", "True"], ["True", "True"]]


def test_a_block_size_changes_no_bit():
    x = np.random.default_rng(3).normal(size=5_000)
    whole = Program(plan_of(), 4096).push({"x": x})["rows"]["y"]
    for block in (1, 7, 97, 65_536):
        assert Program(plan_of(), block).push({"x": x})["rows"]["y"].tobytes() == whole.tobytes()
    assert Path(kernel.__file__).name == "kernel.py"
