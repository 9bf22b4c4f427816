"""The linter and the formatter have nothing to say (`make lint` adds the type checker)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from house.walk import ROOT


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_is_silent(command):
    ran = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--quiet", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
