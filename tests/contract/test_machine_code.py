"""Compiled code is loaded without the compiler, and only where its file is whole."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from dataclasses import replace

import pytest

from qf import kernel
from qf.errors import RunError
from qf.machine_code import CODE, load, read, save
from qf.op import find
from qf.op import load as load_ops

ALL = (
    "import sys; from qf.compile import compile_kernels; from qf.op import load;"
    "ops = [op for op in load().values() if 'kernel' in op.rules];"
    "print(len(ops), all(compile_kernels(ops)), 'numba' in sys.modules)"
)
STEP = """
import sys
import numpy as np
from qf.op import find
from qf.program import Plan, Program
plan = Plan()
plan.clock("rows")
plan.read("y", plan.one(find("exp", "ops"), [plan.feed("x")]))
program = Program(plan)
made = [program.step(np.ones(1))["rows"][0, 0], program.push({"x": np.ones(100)})["rows"]["y"][99]]
print(*made, "numba" in sys.modules)
"""
# Where an ELF file of 64 bits says where its sections are, how large their heads and how many.
SECTIONS = (("<Q", 40), ("<H", 58), ("<H", 60))
SYMBOL_TABLE = 2


def said(script, **more):
    """Return the words that a process of its own says."""
    environment = {**os.environ, **more}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout.split()


def test_every_cached_kernel_is_loaded_without_the_compiler():
    kernels = sum("kernel" in op.rules for op in load_ops().values())
    said(ALL)
    assert said(ALL) == [str(kernels), "True", "False"]


def test_a_cached_program_runs_without_the_compiler():
    first = said(STEP)
    assert said(STEP) == [*first[:2], "False"]
    assert first[0] == first[1] == "2.718281828459045"


@pytest.mark.parametrize("damage", ["torn", "empty", "flipped", "headless", "listed", "text"])
def test_a_damaged_file_is_compiled_anew(tmp_path, damage):
    environment = {"QF_KERNEL_CACHE": str(tmp_path)}
    first = said(STEP, **environment)
    assert first[2] == "True"
    for path in tmp_path.rglob(f"*exp_*{CODE}"):
        whole = path.read_bytes()
        middle = len(whole) // 2
        flipped = bytes([whole[middle] ^ 16])
        path.write_bytes(
            {
                "torn": whole[:-1],
                "empty": b"",
                "flipped": whole[:middle] + flipped + whole[middle + 1 :],
                "headless": whole.partition(b"\n")[2],
                "listed": b"[]\n" + whole.partition(b"\n")[2],
                "text": b'"symbol"\n',
            }[damage]
        )
        assert read(path) is None
    assert said(STEP, **environment) == [*first[:2], "True"]
    assert said(STEP, **environment) == [*first[:2], "False"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Let what is compiled here be no part of anybody's cache."""
    monkeypatch.setenv("QF_KERNEL_CACHE", str(tmp_path / "cache"))


def test_a_file_is_whole_or_absent(tmp_path, cache):
    text = kernel.kernel_text(find("lag", "ops"))
    code = kernel.compiled("spare", text, "entry")
    save(tmp_path / "lag.code", code)
    assert read(tmp_path / "lag.code") == code
    assert [path.name for path in tmp_path.glob("lag*")] == ["lag.code"]
    head = json.loads((tmp_path / "lag.code").read_bytes().partition(b"\n")[0])
    assert head["symbol"] == code.symbol


def test_code_is_loaded_once(cache):
    text = kernel.kernel_text(find("lag", "ops"))
    code = kernel.compiled("spare", text, "entry")
    assert load(code) == load(replace(code)) > 0


def others_see(body):
    """Return the names that an ELF object shows to other objects, and what it has of them."""
    start, size, count = (struct.unpack_from(f, body, at)[0] for f, at in SECTIONS)
    heads = [struct.unpack_from("<IIQQQQIIQQ", body, start + size * k) for k in range(count)]
    symbols = next(head for head in heads if head[1] == SYMBOL_TABLE)
    texts, shown = heads[symbols[6]][4], {}
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        name, info, _, section = struct.unpack_from("<IBBH", body, at)
        if info >> 4:  # not local
            end = body.index(b"\0", texts + name)
            shown[body[texts + name : end].decode()] = section != 0
    return shown


@pytest.mark.skipif(sys.platform != "linux", reason="reads ELF")
@pytest.mark.parametrize("name", ["book", "imbalance_afml", "triple_barrier"])
def test_an_object_shows_others_its_own_function_alone(name, cache):
    """All objects share one space of names: the parts of two kernels must not meet there."""
    op = next(each for each in load_ops().values() if each.name == name)
    code = kernel.compiled(name, kernel.kernel_text(op), "entry")
    shown = others_see(code.body)
    assert [name for name, has in shown.items() if has] == [code.symbol]


def test_what_only_the_compiler_has_is_refused(cache):
    text = kernel.kernel_text(find("exp", "ops"))
    with pytest.raises(RunError) as caught:
        kernel.compiled("bad", text.replace("math.exp(x[t])", "math.ldexp(x[t], 2)"), "entry")
    assert caught.value.code == "QF424"
    assert "ldexp" in str(caught.value)
