"""A second run of an owned project is refused at once: before it imports what takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys

from qf.store.lock import project_lock

HEAVY = {"duckdb", "llvmlite", "msgspec", "numba", "numpy", "polars", "pyarrow", "pydantic", "yaml"}
SECOND = """
import json, sys
from qf.cli.main import run
code = run(["run", "--project", sys.argv[1]])
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def second_run(folder):
    """Return exit code, imported packages and what a second run says."""
    command = [sys.executable, "-c", SECOND, str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    code, modules = json.loads(ran.stdout.splitlines()[-1])
    return code, set(modules), ran.stderr


def test_the_owner_is_named_and_nothing_heavy_is_imported(tmp_path):
    (tmp_path / "quantflow_project.yml").write_text("name: owned\n")
    with project_lock(tmp_path, 1_700_000_000_000_000_000):
        code, modules, said = second_run(tmp_path)
    assert code == 3 and said.startswith("QF610"), said
    assert "since 2023-11-14T22:13:20Z" in said
    assert modules & HEAVY == set()


def test_a_free_project_is_opened(tmp_path):
    (tmp_path / "quantflow_project.yml").write_text("nam: owned\n")
    code, modules, said = second_run(tmp_path)
    assert code == 2 and "QF610" not in said and "pydantic" in modules
