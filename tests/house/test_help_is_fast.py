"""`qf --help` loads nothing heavy, so the first thing a user types answers at once."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "numba", "polars", "duckdb", "pyarrow", "pydantic", "yaml", "msgspec")
ASK = f"""
import sys
from qf.cli.main import main
try:
    main(["--help"])
except SystemExit:
    pass
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print("LOADED", *loaded)
"""


def test_help_loads_nothing_heavy():
    asked = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert "Usage" in asked.stdout
    assert asked.stdout.splitlines()[-1] == "LOADED"


def test_importing_the_package_loads_nothing_heavy():
    ask = f"import sys, qf; print([n for n in {HEAVY!r} if n in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"
