"""Kernels of one process share the parts that are the same, and are cached as if they did not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from qf import kernel, kernel_compiler
from qf.kernel_compiler import inlined_part, part
from qf.op import find

ALIKE = ("window_mean", "window_sum", "window_var")
COMPILE = (
    "import sys; from qf import kernel; from qf.op import find;"
    "print(*(kernel.address(find(name, 'ops')) > 0 for name in sys.argv[1:]))"
)


def made(text, **known):
    """Return the function `f` of a text, compiled as a part."""
    names = dict(known)
    exec(text, names)
    return part(names["f"])


def test_kernels_of_one_process_share_their_parts(tmp_path, monkeypatch):
    monkeypatch.setenv("QF_KERNEL_CACHE", str(tmp_path))
    texts = [kernel.kernel_text(find(name, "ops")) for name in ALIKE]
    for name, text in zip(ALIKE, texts, strict=True):
        kernel.compiled(name, text, "entry")
    assert all("def drop_oldest" in text for text in texts)
    shared = [p for p in kernel_compiler._parts.values() if p.py_func.__name__ == "drop_oldest"]
    assert len(shared) == 1


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    return x + N + 1",
        "def f(x):\n    return x - N",
        "def f(y):\n    return y + N",
        "def f(x):\n    return x + N + 0.0",
    ],
)
def test_parts_of_other_code_are_others(other):
    text = "def f(x):\n    return x + N"
    assert made(text, N=1) is made(text, N=1)
    assert made(text, N=1) is not made(other, N=1)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (1, 1.0), (0.0, -0.0), (1, True)])
def test_parts_of_other_constants_are_others(one, other):
    named = "def f(x):\n    return x + N"
    assert made(named, N=one) is not made(named, N=other)
    written = "def f(x):\n    return x + {!r}"
    assert made(written.format(one)) is not made(written.format(other))


def test_parts_that_call_other_parts_are_others():
    inner = [made(f"def f(x):\n    return x + {n}") for n in (1, 2)]
    outer = [made("def f(x):\n    return g(x)", g=g) for g in (*inner, inner[0])]
    assert outer[0] is outer[2]
    assert outer[0] is not outer[1]


def test_a_part_that_is_put_into_its_callers_is_another():
    names: dict[str, Any] = {}
    exec("def f(x):\n    return x + 7", names)
    assert part(names["f"]) is not inlined_part(names["f"])


def test_a_cached_kernel_needs_no_other_kernel_that_held_its_parts(tmp_path):
    env = {"QF_KERNEL_CACHE": str(tmp_path), "PATH": "", "HOME": str(tmp_path)}

    def run(*names):
        command = [sys.executable, "-c", COMPILE, *names]
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert run(*ALIKE) == ["True"] * 3
    for path in tmp_path.rglob(f"*{ALIKE[0]}*"):
        path.unlink()
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.code")}
    assert run(ALIKE[1]) == ["True"]
    assert run(ALIKE[0], ALIKE[2]) == ["True"] * 2
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
