"""Peers whose pins clash with ours, or with one another, run as scripts in their own environments.

An environment is `.bench/<name>`, made from `requirements/bench-<name>.txt` (hashes of every file),
which `make lock` resolves from `benchmarks/peers/<name>.in`.
"""

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
BENCH = ROOT / ".bench"


def python(environment: str) -> Path:
    """Return an environment's interpreter, making it the first time (a minute or two)."""
    home = BENCH / environment
    lock = ROOT / "requirements" / f"bench-{environment}.txt"
    stamp, found, wanted = home / "installed.txt", home / "bin" / "python", lock.read_text()
    if found.exists() and stamp.exists() and stamp.read_text() == wanted:
        return found
    print(f"installing peers into .bench/{environment} …", file=sys.stderr)
    venv.create(home, with_pip=True, clear=True)
    pip = [str(found), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-compile", "--require-hashes", "-r", str(lock)], check=True)
    stamp.write_text(wanted)
    return found


def run_peer(
    script: str, arrays: dict[str, np.ndarray], repeats: int, environment: str = "peers"
) -> dict:
    """Run one peer's script over the arrays in its own environment; return what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        np.savez(data, **arrays)
        command = [str(python(environment)), str(HERE / script), str(data), str(repeats)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{script} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
