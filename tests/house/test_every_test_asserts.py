"""Every test can fail: it asserts, expects an error, or calls something named after a check."""

from __future__ import annotations

import ast
import re
from functools import cache

from house.walk import Function, dotted, functions, nodes, python_files

CHECKS = re.compile(r"(^|[._])(assert|check|expect|verify|raises|fail|law)")


@cache
def complaining() -> frozenset[str]:
    """Return the names of functions of the tests and of qf.testing that assert or raise."""
    return frozenset(
        function.name
        for module in python_files("tests/", "src/qf/testing/")
        for function in functions(module.tree)
        if any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(function))
    )


def can_fail(function: Function) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = dotted(node.func)
            if CHECKS.search(called) or called.split(".")[-1] in complaining():
                return True
    return False


def test_no_test_is_without_an_assertion():
    idle = [
        f"{module.place}:{function.lineno} {function.name}"
        for module in python_files("tests/")
        for function in functions(module.tree)
        if function.name.startswith("test_") and not can_fail(function)
    ]
    assert idle == []


def test_nothing_is_skipped_without_asking_what_is_missing():
    """A skip stands in a fixture or below an `if`; a skip mark would switch a test off for good."""
    marks = [
        f"{module.place}:{node.lineno}"
        for module in python_files("tests/")
        for node in nodes(module.tree)
        if isinstance(node, ast.Attribute) and dotted(node) == "pytest.mark.skip"
    ]
    assert marks == []
