"""Kernels are compiled in several processes: nothing is lost when one of them fails."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from qf import compile as compiling
from qf import kernel
from qf.compile import compile_kernels, shares
from qf.op import family, find, load
from qf.plan import Plan
from qf.program import Program


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("QF_KERNEL_CACHE", str(tmp_path))
    monkeypatch.setattr(kernel, "_addresses", {})
    return tmp_path


def many_ops():
    return [op for op in family("ops") if "kernel" in op.rules]


def test_every_kernel_is_in_one_share_and_the_shares_are_alike():
    ops = [op for op in load().values() if "kernel" in op.rules]
    for processes in (1, 2, 3, 4):
        parts = shares(ops, processes)
        assert len(parts) == processes
        assert sorted(op.name for part in parts for op in part) == sorted(op.name for op in ops)
        sizes = [sum(len(kernel.kernel_text(op)) for op in part) for part in parts]
        largest = max(len(kernel.kernel_text(op)) for op in ops)
        assert max(sizes) <= max(1.5 * sum(sizes) / processes, 1.1 * largest)


def test_a_share_too_small_to_be_worth_a_process_stays_here():
    (part,) = shares([find("lag", "ops"), find("diff", "ops")], 2)
    assert {op.name for op in part} == {"lag", "diff"}


def test_an_op_of_a_project_stays_here(monkeypatch):
    ops = many_ops()
    own = ops[3]
    monkeypatch.setattr(own, "module", "qf_project_ops.mine")
    assert own in shares(ops, 4)[0]


def test_processes_share_the_work_and_the_kernels_are_the_same(empty_cache, monkeypatch):
    monkeypatch.setattr(compiling, "WORTH_CHARACTERS", 1)
    monkeypatch.setattr(compiling, "_cores", lambda: 2)
    ops, told = [find(name, "ops") for name in ("lag", "diff", "abs", "rolling_sum")], []
    addresses = compile_kernels(ops, lambda *seen: told.append(seen[1:3]))
    assert len(set(addresses)) == 4 and all(addresses)
    assert told[-1] == (4, 4) and sorted(told) == told
    others = {op.name for op in shares(ops, 2)[1]}
    assert others and others < {op.name for op in ops}

    plan = Plan()
    plan.clock("rows")
    plan.read("y", plan.one(find("rolling_sum", "ops"), [plan.feed("x")], window=3))
    rows = Program(plan).push({"x": np.arange(6.0)})["rows"]["y"]
    assert rows[2:].tolist() == [3.0, 6.0, 9.0, 12.0]


@pytest.mark.parametrize("command", [("false",), ("sleep", "60")])
def test_what_another_process_does_not_do_is_done_here(empty_cache, monkeypatch, command):
    monkeypatch.setattr(compiling, "WORTH_CHARACTERS", 1)
    monkeypatch.setattr(compiling, "_cores", lambda: 2)
    started = []

    def stand_in(given, **how):
        process = Started(list(command) if command[0] == "false" else command, **how)
        if command[0] == "sleep":
            threading.Timer(0.5, process.kill).start()  # killed in the middle of its work
        started.append(process)
        return process

    Started = subprocess.Popen
    monkeypatch.setattr(compiling.subprocess, "Popen", stand_in)
    ops = [find(name, "ops") for name in ("lag", "diff", "abs")]
    assert all(compile_kernels(ops))
    assert len(started) == 1 and started[0].poll() not in (None, 0)


def test_a_process_that_compiles_ends_with_its_owner(tmp_path):
    command = [*compiling.COMMAND, *(f"ops/{op.name}" for op in many_ops())]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, env={"QF_KERNEL_CACHE": str(tmp_path), "PATH": ""}
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 1
    assert command[0] == sys.executable
