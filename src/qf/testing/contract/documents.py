"""The laws about what an op file says: its text, its bounds, its gaps, its Polars rule's words."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import replace
from typing import Any

from qf.errors import DefinitionError, QuantflowError
from qf.language.columns import ColumnTable
from qf.language.compile import compile_formula
from qf.language.context import FAMILIES
from qf.language.outputs import calls, is_one, values_of
from qf.op import Op
from qf.signature import Parameter
from qf.testing.contract.cases import parameter_sets
from qf.testing.contract.compare import BROKEN_LAW

# A Polars rule is a second implementation only if Polars does the work.
_FOREIGN_WORDS = {
    "map_batches",
    "map_elements",
    "map_groups",
    "map_rows",
    "rolling_map",
    "apply",
    "to_numpy",
    "to_list",
    "numpy",
    "np",
    "numba",
    "kernel",
    "definition",
}


def is_documented(op: Op) -> None:
    """Demand a title line with the call, a formula, the null rule, the unit and the source."""
    law, text = "is_documented", op.doc.strip()
    title, _, body = text.partition("\n")
    call = re.match(rf"{op.name}\(([^)]*)\): \S", title)
    if call is None:
        raise BROKEN_LAW(op=op.name, law=law, what=f"the first line is not '{op.name}(…): …'")
    wanted = [one.name for one in op.signature.inputs if one.kind != "time"]
    wanted += [parameter.name for parameter in op.signature.parameters]
    written = [re.split(r"[=:]", piece)[0].strip() for piece in call[1].split(",")]
    written = [name for name in written if name]
    shown = [name for name in wanted if name in written]
    if written != shown or [name for name in wanted if name not in written and _needed(op, name)]:
        raise BROKEN_LAW(
            op=op.name, law=law, what=f"the title names {written}, the signature {wanted}"
        )
    for word, why in (("null", "null rule"), ("Unit:", "unit"), ("Source:", "source")):
        if word.lower() not in body.lower():
            raise BROKEN_LAW(op=op.name, law=law, what=f"its text says nothing of the {why}")
    unnamed = [each.name for each in values_of(op) if not re.search(rf"\b{each.name}\b", body)]
    if unnamed and not is_one(op):
        raise BROKEN_LAW(op=op.name, law=law, what=f"its text says nothing of {unnamed}")
    if len(op.unit.split(",")) not in (1, len(values_of(op))):
        raise BROKEN_LAW(op=op.name, law=law, what=f"{op.unit!r} is not one unit per value")
    if not re.search(r"\n {4,}\S.*(=|<|>|->).*\n", "\n" + body + "\n"):
        raise BROKEN_LAW(op=op.name, law=law, what="its text has no formula on an indented line")


def _needed(op: Op, name: str) -> bool:
    """Say whether a caller must write the argument (parameters with a default need not be)."""
    defaults = {p.name: p.default for p in op.signature.parameters}
    return name not in defaults or defaults[name] is None


def example_compiles(op: Op) -> None:
    """Demand that the example is legal: a call of the op, and for a function a formula per value.

    Ops over quality bits are called by engines only; a formula cannot name their columns.
    """
    law, text = "example_compiles", op.example
    is_function = op.family in FAMILIES and op.unit != "bits"
    if is_function:
        called = re.match(rf"{op.name}\.\w+\b", text)
        for call in calls(op):  # an example of one value is an example of the others
            _compiled(op, law, text if called is None else call + text[called.end() :])
    elif not re.fullmatch(rf"{op.name}\(.*\)", text, re.DOTALL):
        raise BROKEN_LAW(op=op.name, law=law, what=f"its example {text!r} is not a call of it")
    if not parameter_sets(op):
        raise BROKEN_LAW(op=op.name, law=law, what=f"its example {text!r} is out of bounds")


def _compiled(op: Op, law: str, text: str) -> None:
    """Compile the example on the tick clock, on a bar clock, or where symbols are compared."""
    first: QuantflowError | None = None
    tick = ColumnTable.tick(levels=5)
    compared = replace(tick, members=(tick, None))
    for table in (tick, ColumnTable.bars("tick_k_50"), compared):
        try:
            graph = compile_formula(text, table=table)
        except QuantflowError as error:
            first = first or error
            continue
        if op.name in graph.ops or {"formula", "expand"} & op.rules.keys():
            return
        raise BROKEN_LAW(op=op.name, law=law, what=f"its example {text!r} does not use it")
    what = f"its example {text!r} does not compile: {first.sentence if first else ''}"
    raise BROKEN_LAW(op=op.name, law=law, what=what)


def gaps_are_strict(op: Op) -> None:
    """Refuse a declared gap beside the rule it says is missing, and a gap that is not declared."""
    law, rules = "gaps_are_strict", op.rules
    for kind in op.gaps:
        if kind in rules:
            raise BROKEN_LAW(op=op.name, law=law, what=f"{kind}_missing(…) but there is a rule")
        if len(op.gaps[kind].split()) < 3:
            raise BROKEN_LAW(op=op.name, law=law, what=f"{kind}_missing(…) gives no reason")
    if "formula" in rules or "expand" in rules:
        return
    for kind in ("definition", "polars", "kernel"):
        if kind not in rules and kind not in op.gaps:
            raise BROKEN_LAW(op=op.name, law=law, what=f"there is no {kind} rule and no reason why")


def polars_rule_is_native(op: Op) -> None:
    """Refuse a Polars rule that calls back into Python, numpy or the kernel."""
    rule = op.rules.get("polars")
    if rule is None:
        return
    for name, word in _words(rule, set()):
        if word in _FOREIGN_WORDS:
            what = f"{name} uses {word!r}: native expressions only"
            raise BROKEN_LAW(op=op.name, law="polars_rule_is_native", what=what)


def _words(function: Any, seen: set[Any]) -> list[tuple[str, str]]:
    """Return the names that a rule, and the functions of qf it calls, mention."""
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []
    found: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        word = ""
        if isinstance(node, ast.Attribute):
            word = node.attr
        elif isinstance(node, ast.Name):
            word = node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name.split(".")[0] for alias in node.names]
            found += [(function.__name__, name) for name in names]
        found.append((function.__name__, word))
        called = getattr(function, "__globals__", {}).get(word)
        if inspect.isfunction(called) and called not in seen and isinstance(node, ast.Name):
            found += _words(called, seen)
    return found


def bounds_are_refused_with_a_good_error(op: Op) -> None:
    """Demand a named error for values past each bound, unknown names and missing parameters."""
    law = "bounds_are_refused_with_a_good_error"
    sets = parameter_sets(op)
    legal = sets[0] if sets else {}
    _refused(op, law, {**legal, "no_such_parameter": 1}, ("QF404",), "no_such_parameter")
    for parameter in op.signature.parameters:
        for value, codes in _bad_values(parameter):
            _refused(op, law, {**legal, parameter.name: value}, codes, parameter.name)
        if parameter.default is None:
            rest = {name: value for name, value in legal.items() if name != parameter.name}
            _refused(op, law, rest, ("QF405",), parameter.name)


def _bad_values(parameter: Parameter) -> list[tuple[object, tuple[str, ...]]]:
    if parameter.kind == "choice":
        return [("no_such_choice", ("QF402",)), (3, ("QF402",))]
    wide = 1 + abs(parameter.high) * 1e-6
    low, high = parameter.low - wide, parameter.high + wide
    if parameter.kind in ("int", "duration"):
        low, high = int(parameter.low) - 1, int(parameter.high) + 1
    bad: list[tuple[object, tuple[str, ...]]] = [
        (low, ("QF401",)),
        (high, ("QF401",)),
        (True, ("QF403",)),
    ]
    if parameter.kind == "int":
        bad.append((parameter.low + 0.5, ("QF403",)))
    return bad


def _refused(op: Op, law: str, given: dict[str, Any], codes: tuple[str, ...], name: str) -> None:
    try:
        op.bind(**given)
    except DefinitionError as error:
        if error.code in codes and op.name in error.sentence and name in error.sentence:
            return
        what = f"{name} gives {error.code} {error.sentence!r}, expected {codes[0]}"
        raise BROKEN_LAW(op=op.name, law=law, what=what) from error
    raise BROKEN_LAW(op=op.name, law=law, what=f"{name}={given.get(name)!r} is accepted")
