"""Every way to fail has one code, is raised somewhere, and stands in docs/errors.md."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache

from house.walk import ROOT, dotted, nodes, package, text_of

RANGES = {
    "QF0": ("clock", "errors", "schema"),
    "QF1": ("language", "lower"),
    "QF2": ("project",),
    "QF3": ("feeds", "tape"),
}


@cache
def declared() -> list[tuple[str, str, str]]:
    """Return (code, name it is bound to, file) of every `diagnostic(...)` in the package."""
    found = []
    for module in package():
        for node in nodes(module.tree):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            call = node.value
            if dotted(call.func).split(".")[-1] != "diagnostic":
                continue
            code = call.args[0] if call.args else None
            assert isinstance(code, ast.Constant), f"{module.place}:{node.lineno}: code as text"
            found.append((str(code.value), ast.unparse(node.targets[0]), module.place))
    return found


def test_codes_are_unique_and_well_formed():
    codes = Counter(code for code, _, _ in declared())
    assert [code for code, times in codes.items() if times > 1] == []
    assert [code for code in codes if not re.fullmatch(r"QF\d{3}", code)] == []


def test_a_code_lies_in_the_range_of_its_folder():
    wrong = [
        f"{place}: {code}"
        for code, _, place in declared()
        for start, folders in RANGES.items()
        if code.startswith(start)
        if place.removeprefix("src/qf/").removesuffix(".py").split("/")[0] not in folders
    ]
    assert wrong == []


def test_every_declared_error_is_used():
    words = Counter(
        word
        for module in package()
        for word in re.findall(r"\b[A-Z][A-Z_0-9]+\b", text_of(module.path))
    )
    assert [f"{place}: {name}" for _, name, place in declared() if words[name] < 2] == []


def test_every_code_is_documented():
    page = (ROOT / "docs/errors.md").read_text()
    assert [code for code, _, _ in declared() if f"| {code} |" not in page] == []
