"""From `bars:` rows to bar clocks: each rule's own signature checks and names them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qf.bar_clock import bar_rules, clock_name
from qf.errors import QuantflowError, diagnostic, nearest
from qf.op import UNKNOWN_OP
from qf.project.document import Document, Path_
from qf.project.model import BarSpec
from qf.project.structs.project_file import Bar
from qf.signature import parse_signature

SAME_CLOCK = diagnostic(
    "QF223",
    "two bars make the clock {clock!r}; the first is on line {line}",
    hint="take one out, or give one another parameter",
)

_NAMED = re.compile(r"\S+: (\w+) must|\S+ has no parameter '(.*)'$", re.DOTALL)


def resolve_bars(
    rows: Sequence[Bar], document: Document, problems: list[QuantflowError]
) -> tuple[BarSpec, ...]:
    """Return the bar clocks of the project. Errors (collected): QF223, QF401-QF405, QF412."""
    specs: dict[str, BarSpec] = {}
    for number, row in enumerate(rows):
        path: Path_ = ("state_engine", "bars", number)
        try:
            spec = bar_spec(row.type, row.free, document, path)
        except QuantflowError as error:
            problems.append(error)
            continue
        if spec.clock in specs:
            line = specs[spec.clock].place.line
            problems.append(SAME_CLOCK(clock=spec.clock, line=line, place=spec.place))
            continue
        specs[spec.clock] = spec
    return tuple(specs.values())


def bar_spec(rule: str, given: Mapping[str, Any], document: Document, path: Path_) -> BarSpec:
    """Return one bar clock. Errors: QF401-QF405, QF412, each at its place."""
    known = bar_rules()
    if rule not in known:
        place = document.place((*path, "type"))
        raise UNKNOWN_OP(what="bar rule", name=rule, near=nearest(rule, known), place=place)
    op = known[rule]
    signature = parse_signature(sys.modules[op.module].USER)
    params = placed(lambda: signature.bind(dict(given)), document, path)
    name = clock_name(op, params)
    return BarSpec(name, rule, params, f"cdm_{rule}_bars", document.place((*path, "type")))


def placed(work: Callable[[], Any], document: Document, path: Path_) -> Any:
    """Return what `work` returns; an error of a signature moves to its parameter under `path`."""
    try:
        return work()
    except QuantflowError as error:
        match = _NAMED.match(error.sentence)
        named = (match[1] or match[2]) if match else None
        if named is None or (*path, named) not in document.values:
            raise error.at(document.place(path, key=True)) from None
        unknown = error.code == "QF404"
        raise error.at(document.place((*path, named), key=unknown)) from None
