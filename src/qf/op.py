"""The one contract every computing part obeys, and the book that lists them.

A formula function, a bar rule, an aggregation, a normaliser, a staleness rule, a label and a
detector are the same thing: columns in, columns out, a flat state. One file defines one op:

    op = define("rolling_sum(x, window: 1..100000)", warmup=…, slots=…, tolerance=…)
    @op.definition   plain Python over the past prefix of each input: the meaning
    @op.polars       the same as a Polars expression: an independent second implementation
    @op.kernel       plain loops over columns, compiled: what runs, in batch and live
    op.formula(…)    or, instead of the three: an expression in the language itself

The folder is the family; discovery walks it; a second definition of a name refuses to load.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from qf.errors import diagnostic, nearest
from qf.signature import Signature, parse_signature

FAMILIES = (
    "ops",
    "bars",
    "book",
    "aggregations",
    "normalizers",
    "staleness",
    "quality",
    "labels",
    "detectors",
)

DEFINED_TWICE = diagnostic("QF410", "op {name!r} is defined twice: in {first} and in {second}")
RULE_TWICE = diagnostic("QF411", "op {name!r} has two {kind} rules")
UNKNOWN_OP = diagnostic("QF412", "unknown {what} {name!r}", hint="all of them: qf ops")

# How far an answer may differ between kernel, Polars rule and definition (never between cuts).
EXACT, SUM, MOMENT = 0.0, 1e-12, 1e-9

Rule = Callable[..., Any]
Amount = Callable[..., int]


def _none(**parameters: object) -> int:
    return 0


@dataclass(eq=False)  # one op is one op: it is its own key
class Op:
    """One computing part: what it is called, what it needs, and its rules."""

    signature: Signature
    family: str
    module: str
    shape: str  # map: rows to the same rows; fold: to another clock's rows; emit: makes rows
    warmup: Amount  # rows before the first value
    lookback: Amount  # earlier rows that a kernel reads from its input columns
    memory: Amount | None  # rows whose taint a value carries; default warmup + 1; 0 = unbounded
    slots: Amount  # float64 words of state
    ints: Amount  # int64 words of state
    tolerance: float  # relative, between kernel, Polars rule and definition
    unit: str  # the output's unit in terms of the inputs' names: "x", "x*y", "x/y", "1", …
    window_form: str  # the op that a duration in place of a row count selects
    example: str  # a legal call, for the docs and the tests
    rules: dict[str, Any] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name in the signature."""
        return self.signature.name

    @property
    def doc(self) -> str:
        """Return the op file's text, or for a table file the docstring of its own rule."""
        own = getattr(self.rules.get("definition"), "__doc__", None)
        return own or sys.modules[self.module].__doc__ or ""

    def definition(self, function: Rule) -> Rule:
        """Register the slow and obvious meaning: prefixes of the inputs to the last row's value."""
        return self._rule("definition", function)

    def polars(self, function: Rule) -> Rule:
        """Register the Polars expression of the inputs' expressions."""
        return self._rule("polars", function)

    def kernel(self, function: Rule) -> Rule:
        """Register the loops that run."""
        return self._rule("kernel", function)

    def formula(self, text: str) -> None:
        """Register an expression in the language over the signature's own names."""
        self._rule("formula", text)

    def expand(self, function: Rule) -> Rule:
        """Register a rewrite: argument texts to a formula text, done before anything is typed."""
        return self._rule("expand", function)

    def polars_missing(self, reason: str) -> None:
        """Declare that there is no Polars rule, and why; strict, the suite refuses both."""
        self.gaps["polars"] = reason

    def definition_missing(self, reason: str) -> None:
        """Declare that another oracle stands in for the definition, and which."""
        self.gaps["definition"] = reason

    def bind(self, **given: object) -> dict[str, Any]:
        """Return all parameters, checked. Errors: QF401-QF405."""
        return self.signature.bind(given)

    def amount(self, which: str, bound: dict[str, Any]) -> int:
        """Return `warmup`, `lookback`, `memory`, `slots` or `ints` for bound parameters."""
        rule = getattr(self, which)
        if rule is None:
            return self.amount("warmup", bound) + 1
        return int(rule(**bound))

    def _rule(self, kind: str, rule: Any) -> Any:
        if kind in self.rules:
            raise RULE_TWICE(name=self.name, kind=kind)
        self.rules[kind] = rule
        return rule


BOOK: dict[str, Op] = {}  # "family.name": two families may use one word (ops and normalizers do)
_loaded: set[str] = set()
_loading = threading.RLock()  # a file may look for another op while it is imported


def define(
    signature: str,
    *,
    shape: str = "map",
    warmup: Amount = _none,
    lookback: Amount = _none,
    memory: Amount | None = None,
    slots: Amount = _none,
    ints: Amount = _none,
    tolerance: float = EXACT,
    unit: str = "x",
    window_form: str = "",
    example: str = "",
) -> Op:
    """Add one op to the book and return it, for its rules to be attached. Errors: QF400, QF410."""
    parsed = parse_signature(signature)
    module = sys._getframe(1).f_globals["__name__"]
    parts = module.split(".")
    family = parts[-2] if len(parts) > 1 else "ops"
    key = f"{family}.{parsed.name}"
    if key in BOOK:
        raise DEFINED_TWICE(name=parsed.name, first=BOOK[key].module, second=module)
    op = Op(
        parsed,
        family,
        module,
        shape,
        warmup,
        lookback,
        memory,
        slots,
        ints,
        tolerance,
        unit,
        window_form,
        example,
    )
    BOOK[key] = op
    return op


def load(*families: str) -> dict[str, Op]:
    """Import every file of the families (default: all) and return the book."""
    for family in families or FAMILIES:
        if family not in _loaded:
            with _loading:
                _import_all(family)
    return BOOK


def _import_all(family: str) -> None:
    package = importlib.import_module(f"qf.{family}")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"qf.{family}.{module}")
    _loaded.add(family)


def family(name: str) -> Iterator[Op]:
    """Yield the ops of one family, by name."""
    load(name)
    yield from [op for _, op in sorted(BOOK.copy().items()) if op.family == name]


def find(name: str, *families: str) -> Op:
    """Return the op called `name` in the families. Errors: QF412 with near names."""
    load(*families)
    for each in families or FAMILIES:
        if (op := BOOK.get(f"{each}.{name}")) is not None:
            return op
    known = [op.name for each in families or FAMILIES for op in family(each)]
    what = families[0].rstrip("s") if families else "op"
    what = {"op": "function", "bar": "bar rule"}.get(what, what)
    raise UNKNOWN_OP(what=what, name=name, near=nearest(name, known))
