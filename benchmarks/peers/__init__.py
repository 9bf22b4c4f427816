"""Peers whose pins clash with ours run as scripts in an environment of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
HOME = ROOT / ".bench" / "peers"
LOCK = ROOT / "requirements" / "bench.txt"


def python() -> Path:
    """Return the peers' interpreter, making the environment the first time (a minute or two)."""
    stamp = HOME / "installed.txt"
    found = HOME / "bin" / "python"
    wanted = LOCK.read_text()
    if found.exists() and stamp.exists() and stamp.read_text() == wanted:
        return found
    print("installing the peers into .bench/peers …", file=sys.stderr)
    venv.create(HOME, with_pip=True, clear=True)
    pip = [str(found), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-compile", "--require-hashes", "-r", str(LOCK)], check=True)
    stamp.write_text(wanted)
    return found


def run_peer(script: str, arrays: dict[str, np.ndarray], repeats: int) -> dict:
    """Run one peer's script over the arrays in its own environment; return what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        np.savez(data, **arrays)
        command = [str(python()), str(HERE / script), str(data), str(repeats)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{script} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
