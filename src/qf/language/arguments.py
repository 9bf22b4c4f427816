"""Match a call's arguments to its op's signature: inputs first, then parameters, or by name.

Inputs of kind `time` are bound by the language and never written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from qf.errors import QuantflowError, diagnostic, nearest
from qf.language.constants import evaluate
from qf.language.context import Context
from qf.language.tree import Call, Text, Tree
from qf.op import Op
from qf.signature import Parameter

UNKNOWN_FUNCTION = diagnostic("QF104", "unknown function {name!r}", hint="all functions: qf ops")
TOO_MANY_ARGUMENTS = diagnostic(
    "QF112", "{op} takes at most {most}, was given {count} arguments", hint="its call: {signature}"
)
MISSING_ARGUMENT = diagnostic("QF113", "{op} needs {name}", hint="its call: {signature}")
UNKNOWN_ARGUMENT = diagnostic(
    "QF114", "{op} has no argument {name!r}", hint="its call: {signature}"
)
GIVEN_TWICE = diagnostic(
    "QF115", "{op} is given {name!r} by position and by name", hint="its call: {signature}"
)
NOT_CONSTANT = diagnostic(
    "QF116",
    "{op}: {name} must be a number known before the first row, this is computed from columns",
)
NOT_DURATION = diagnostic("QF136", '{op}: {name} is a duration such as "500ms" or "5s"')


@dataclass(frozen=True)
class Bound:
    """A call whose arguments have found their places."""

    op: Op
    inputs: dict[str, Tree]
    parameters: dict[str, Tree]


def call_text(op: Op) -> str:
    """Return an op's signature as a formula calls it: without outputs and the bound time."""
    call = op.signature.text.partition("->")[0].strip()
    times = [i.name for i in op.signature.inputs if i.kind == "time"]
    for name in times:
        call = re.sub(rf"{name}: time(, )?|, {name}: time(?=\))", "", call)
    return call.replace(", )", ")")


def function_of(call: Call, context: Context) -> Op:
    """Return the op that a call names. Errors: QF104."""
    if call.name not in context.functions:
        near = nearest(call.name, context.functions)
        raise UNKNOWN_FUNCTION(name=call.name, near=near, place=context.source.spot(call.head))
    return context.functions[call.name]


def bind_call(call: Call, context: Context) -> Bound:
    """Return the call's arguments by name. Errors: QF104, QF112-QF115."""
    op = function_of(call, context)
    signature = op.signature
    names = [i.name for i in signature.inputs if i.kind != "time"]
    places = [*names, *(p.name for p in signature.parameters)]
    say: dict[str, Any] = {"op": op.name, "signature": call_text(op)}
    if len(call.arguments) > len(places):
        extra = call.arguments[len(places)]
        raise TOO_MANY_ARGUMENTS(
            **say, most=len(places), count=len(call.arguments), place=context.spot(extra)
        )
    given = dict(zip(places, call.arguments, strict=False))
    for (name, value), mark in zip(call.named, call.marks, strict=True):
        if name not in places:
            raise UNKNOWN_ARGUMENT(
                **say, name=name, near=nearest(name, places), place=context.source.spot(mark)
            )
        if name in given:
            raise GIVEN_TWICE(**say, name=name, place=context.source.spot(mark))
        given[name] = value
    defaults = {p.name for p in signature.parameters if p.default is not None}
    for name in places:
        if name not in given and name not in defaults:
            raise MISSING_ARGUMENT(**say, name=name, place=context.spot(call))
    inputs = {name: given[name] for name in names}
    parameters = {name: given[name] for name in places[len(names) :] if name in given}
    return Bound(op, inputs, parameters)


def parameter_values(bound: Bound, context: Context) -> dict[str, Any]:
    """Return every parameter, checked, defaults included. Errors: QF116, QF401-QF403, placed."""
    values: dict[str, Any] = {}
    for parameter in bound.op.signature.parameters:
        if parameter.name not in bound.parameters:
            values[parameter.name] = parameter.default
            continue
        tree = bound.parameters[parameter.name]
        given = _given(bound.op, parameter, tree, context)
        alone = replace(bound.op.signature, parameters=(parameter,))
        try:
            values.update(alone.bind({parameter.name: given}))
        except QuantflowError as error:
            raise error.at(context.spot(tree)) from None
    return values


def _given(op: Op, parameter: Parameter, tree: Tree, context: Context) -> object:
    if isinstance(tree, Text):
        return tree.value
    if parameter.kind == "duration":
        raise NOT_DURATION(op=op.name, name=parameter.name, place=context.spot(tree))
    number = evaluate(tree, context)
    if number is None or number.kind == "null":
        raise NOT_CONSTANT(op=op.name, name=parameter.name, place=context.spot(tree))
    if parameter.kind == "choice" and number.kind == "condition":
        return "true" if number.value else "false"
    return number.value
