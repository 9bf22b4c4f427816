"""Sizes: a reader meets short files, short functions and few parameters; names say something."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from house.test_layers import ROW, folder
from house.walk import ROOT, Function, Module, functions, python_files, repository_files, text_of

FILE_LINES, FUNCTION_LINES, KERNEL_LINES, PARAMETERS = 400, 60, 80, 6
SAYS_NOTHING = {"utils", "helpers", "common", "core", "base", "manager", "misc"}
SAYS_NOTHING |= {"util", "helper", "managers", "stuff"}


def exceptions() -> dict[tuple[str, str], int]:
    """Return (place, what) -> allowed size from limits.txt."""
    allowed = {}
    for line in (ROOT / "tests/house/limits.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        place, what, size, reason = line.split(maxsplit=3)
        assert len(reason.split()) >= 4, f"limits.txt: {place}: give the reason in a sentence"
        allowed[place, what] = int(size)
    return allowed


def is_kernel(function: Function) -> bool:
    marks = [d.attr for d in function.decorator_list if isinstance(d, ast.Attribute)]
    return "kernel" in marks


def takes_columns(module: Module, function: Function) -> bool:
    """Say whether the parameters are columns: rules, and the loops that kernels call."""
    row = ROW.get(folder(module.name))
    return row == 2 or is_kernel(function) or module.place.startswith("tests/")


@cache
def sizes() -> dict[tuple[str, str], tuple[int, int]]:
    """Return (place, what) -> (size, limit) of everything that has a limit."""
    found = {}
    for module in python_files():
        found[module.place, "lines"] = (len(text_of(module.path).splitlines()), FILE_LINES)
        for function in functions(module.tree):
            place = f"{module.place}::{function.name}"
            lines = (function.end_lineno or 0) - function.lineno + 1
            found[place, "lines"] = (lines, KERNEL_LINES if is_kernel(function) else FUNCTION_LINES)
            given = [*function.args.posonlyargs, *function.args.args]
            count = len([a for a in given if a.arg not in ("self", "cls")])
            if not takes_columns(module, function):
                found[place, "parameters"] = (count, PARAMETERS)
    return found


def test_nothing_is_longer_than_its_limit():
    allowed = exceptions()
    too_long = [
        f"{place}: {size} {what}, limit {limit}"
        for (place, what), (size, limit) in sizes().items()
        if size > allowed.get((place, what), limit)
    ]
    assert too_long == []


def test_every_exception_is_still_needed():
    measured = sizes()
    for key in exceptions():
        assert key in measured, f"limits.txt names {key}, which is gone"
        size, limit = measured[key]
        assert size > limit, f"limits.txt: {key} is within the limit now; remove the line"


def test_names_say_something():
    empty = [
        path.relative_to(ROOT).as_posix()
        for path in repository_files()
        if SAYS_NOTHING & {Path(part).stem for part in path.relative_to(ROOT).parts}
    ]
    assert empty == []
