"""Environments of their own for what the tests compare with: their pins clash with ours."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def interpreter_of(name: str) -> Path:
    """Return the interpreter of .peers/<name>; made here when `make peers` was not run before."""
    home, lock = ROOT / ".peers" / name, ROOT / "requirements" / f"{name}.txt"
    python, stamp = home / "bin" / "python", home / "installed"
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return python
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    try:
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([*pip, "--no-compile", "--require-hashes", "-r", str(lock)], check=True)
    except (OSError, subprocess.CalledProcessError) as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{name} cannot be installed here: {failure}")
    stamp.touch()
    return python
