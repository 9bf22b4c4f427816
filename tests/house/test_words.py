"""What never stands in a file of the repository: prints, swallowed errors, places, leftovers."""

from __future__ import annotations

import ast
import re

from house.test_layers import ROW, folder
from house.walk import (
    ROOT,
    dotted,
    nodes,
    package,
    python_files,
    repository_files,
    text_of,
)

TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".svg", ".html", ".css", ".js", ""}
SKIPPED = {"LICENSE", "tests/house/test_words.py"}

# Written in two halves so that this very file does not hold what it forbids.
FORBIDDEN = {
    "a leftover": re.compile("TO" + "DO|FIX" + "ME|XX" + "X|HA" + "CK"),
    "a path of one machine": re.compile(r"(?<![\w.~/}])/(?:home|root|Users|work|tmp)/\w"),
    "an address of a package index": re.compile(
        r"https?://[^\s\"')]*(?:pypi|/simple\b|npmjs|registry|mirror)|index-url", re.IGNORECASE
    ),
    "a number of an issue": re.compile(
        r"\b(?:issue|ticket|pull request|PR)[ -]?#?\d+\b|(?<=[\s(])#\d+\b", re.IGNORECASE
    ),
}
CLOCKS = {
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.sleep",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
}
RUNS_TEXT = {"eval", "exec", "__import__"}
RUNS_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def checked_files() -> list[tuple[str, str]]:
    found = []
    for path in repository_files():
        place = path.relative_to(ROOT).as_posix()
        if place not in SKIPPED and path.suffix in TEXT:
            found.append((place, text_of(path)))
    return found


def test_no_file_holds_what_does_not_belong_in_a_repository():
    found = [
        f"{place}:{number} {what}: {line.strip()[:60]}"
        for place, text in checked_files()
        for what, pattern in FORBIDDEN.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_every_file_of_the_repository_is_text():
    found = [path for path in repository_files() if b"\0" in path.read_bytes()]
    assert found == []


def test_only_the_command_line_prints():
    found = []
    for module in package():
        if folder(module.name) == "cli":
            continue
        for node in nodes(module.tree):
            if isinstance(node, ast.Call) and dotted(node.func) in (
                "print",
                "sys.stdout.write",
                "sys.stderr.write",
            ):
                found.append(f"{module.place}:{node.lineno}")
    assert found == []


def test_no_error_is_swallowed():
    found = []
    for module in python_files():
        for node in nodes(module.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = ast.unparse(node.type) if node.type else ""
            silent = all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
            if not caught or (silent and caught in ("Exception", "BaseException")):
                found.append(f"{module.place}:{node.lineno}")
    assert found == []


def test_nothing_runs_text_or_data_as_code():
    found = []
    for module in package():
        for node in nodes(module.tree):
            if isinstance(node, ast.Call) and dotted(node.func) in RUNS_TEXT:
                found.append(f"{module.place}:{node.lineno} {dotted(node.func)}")
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.split(".")[0] for alias in node.names}
                names.add((getattr(node, "module", None) or "").split(".")[0])
                if names & RUNS_DATA:
                    found.append(f"{module.place}:{node.lineno} imports {names & RUNS_DATA}")
    assert found == []


def test_time_and_chance_are_handed_in_below_the_engines():
    found = []
    for module in package():
        if ROW.get(folder(module.name), 9) > 4 or module.name == "clock":
            continue
        for node in nodes(module.tree):
            if not isinstance(node, ast.Call):
                continue
            called = dotted(node.func)
            short = ".".join(called.split(".")[-2:])
            unseeded = short.startswith("random.") and short != "random.Random"
            unseeded &= called not in ("np.random.default_rng", "numpy.random.default_rng")
            if short in CLOCKS or unseeded or (short.endswith("default_rng") and not node.args):
                found.append(f"{module.place}:{node.lineno} {called}")
    assert found == []
