"""What runs live touches the outside only through its World: a clock, chance, a disk, a network."""

from __future__ import annotations

import ast

from house.walk import Module, package

# Where the real world begins: what makes it, and the process around a session with its log.
REAL = (
    "live.deployed",
    "live.real",
    "live.real_disk",
    "live.redact",
    "live.supervisor",
    "live.worker",
)
FORBIDDEN_MODULES = {
    "glob",
    "io",
    "multiprocessing",
    "os",
    "pathlib",
    "secrets",
    "select",
    "shutil",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
    "aiohttp",
    "picows",
    "concurrent",
}
FORBIDDEN_CALLS = {"open", "input", "print", "wall_ns"}
FORBIDDEN_NAMES = {
    "run_in_executor",
    "to_thread",
    "open_connection",
    "create_connection",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "time",  # loop.time(): the clock's monotonic_ns is the one that tells durations
}


def is_bound(module: Module) -> bool:
    """Say whether a module runs live, and is not where the real world is made."""
    place = module.name
    live = place.startswith(("live.", "sinks.")) or place == "tape.journal"
    return live and not any(place == real or place.startswith(real + ".") for real in REAL)


def reaches(module: Module) -> list[str]:
    """Return every place where a module goes past the seams."""
    found = []
    for node in ast.walk(module.tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            if name.split(".")[0] in FORBIDDEN_MODULES:
                found.append(f"{module.place}:{node.lineno} imports {name}")
        called = word_of(node)
        if called:
            found.append(f"{module.place}:{node.lineno} uses {called}")
    return found


def word_of(node: ast.AST) -> str:
    """Return the word by which a node goes past the seams; "" where it does not."""
    # random.Random names the type of a seam; everything else of the module is its own chance.
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "random":
        return "" if node.attr == "Random" else f"random.{node.attr}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id if node.func.id in FORBIDDEN_CALLS else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr if node.func.attr in FORBIDDEN_NAMES else ""
    return ""


def test_what_runs_live_uses_the_seams_only():
    bound = [module for module in package() if is_bound(module)]
    assert len(bound) > 15
    assert [place for module in bound for place in reaches(module)] == []


def test_the_lint_sees_each_way_around():
    texts = (
        "import time",
        "from pathlib import Path",
        "import os.path",
        "def f(): open('x')",
        "def f(loop): loop.run_in_executor(None, f)",
        "import random\nrandom.random()",
        "def f(loop): return loop.time()",
    )
    module = next(module for module in package() if module.name == "tape.journal")
    for text in texts:
        planted = module._replace(tree=ast.parse(text))
        assert reaches(planted), text
