"""Kernels are compiled in several processes: nothing is lost when one of them fails."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from qf import compile as compiling
from qf import kernel
from qf.compile import Work, compile_kernels
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


def test_every_kernel_is_taken_once_the_longest_first_and_parts_stay_together():
    ops = [op for op in load().values() if "kernel" in op.rules]
    work, taken, done = Work(ops), ([], []), [0, 0]
    parts: tuple[set[str], set[str]] = (set(), set())
    while True:
        process = done.index(min(done))  # who is free
        op = work.take(process)
        if op is None:
            break
        texts = set(kernel.kernel_parts(op).values())
        done[process] += sum(map(len, texts - parts[process])) + 500
        taken[process].append(op)
        parts[process].update(texts)
    everything = taken[0] + taken[1]
    assert sorted(op.name for op in everything) == sorted(op.name for op in ops)
    assert len(kernel.kernel_text(taken[0][0])) == max(len(kernel.kernel_text(op)) for op in ops)
    twice = sum(map(len, parts[0] & parts[1]))
    assert twice < 0.02 * sum(map(len, parts[0] | parts[1]))
    assert min(done) > 0.9 * max(done)


def test_a_process_is_started_only_where_it_is_worth_its_start():
    assert Work([find("lag", "ops"), find("diff", "ops")]).processes(cores=8) == 0
    assert Work(many_ops()).processes(cores=1) == 0
    assert Work(many_ops()).processes(cores=2) == 1
    assert Work(many_ops()).processes(cores=64) == compiling.MOST_PROCESSES - 1


def test_an_op_of_a_project_stays_here(monkeypatch):
    ops = many_ops()
    own = ops[3]
    monkeypatch.setattr(own, "module", "qf_project_ops.mine")
    elsewhere = Work(ops)
    assert own not in list(iter(lambda: elsewhere.take(1), None))
    assert Work(ops).take(0) is own


def test_processes_share_the_work_and_the_kernels_are_the_same(empty_cache, monkeypatch):
    monkeypatch.setattr(compiling, "WORTH_CHARACTERS", 1)
    monkeypatch.setattr(compiling, "_cores", lambda: 2)
    started, start = [], compiling.subprocess.Popen

    def counted(*given, **how):
        started.append(given)
        return start(*given, **how)

    monkeypatch.setattr(compiling.subprocess, "Popen", counted)
    ops, told = [find(name, "ops") for name in ("lag", "diff", "abs", "rolling_sum")], []
    addresses = compile_kernels(ops, lambda *seen: told.append(seen[1:3]))
    assert len(set(addresses)) == 4 and all(addresses)
    assert told[-1] == (4, 4) and sorted(told) == told
    assert len(started) == 1

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
    process = subprocess.Popen(
        compiling.COMMAND, stdin=subprocess.PIPE, env={"QF_KERNEL_CACHE": str(tmp_path), "PATH": ""}
    )
    assert process.stdin is not None
    process.stdin.write("".join(f"ops/{op.name}\n" for op in many_ops()).encode())
    process.stdin.close()
    assert process.wait(60) == 1
    assert compiling.COMMAND[0] == sys.executable
