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
from qf.language.outputs import calls, is_one, values_of
from qf.language.tree import Call, Span, Text, Tree
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
NO_OUTPUT = diagnostic("QF134", "{op} has no value {output!r}", hint="write {calls}")
WHICH_OUTPUT = diagnostic("QF141", "{op} has several values: {names}", hint="say which: {calls}")
NOT_DURATION = diagnostic("QF136", '{op}: {name} is a duration such as "500ms" or "5s"')


@dataclass(frozen=True)
class Bound:
    """A call whose arguments have found their places."""

    op: Op
    inputs: dict[str, Tree]
    parameters: dict[str, Tree]
    output: str = ""  # which of the op's values, "" where it has one


def call_text(op: Op) -> str:
    """Return an op's signature as a formula calls it: without flags and the bound time."""
    call = op.signature.text.partition("->")[0].strip()
    times = [i.name for i in op.signature.inputs if i.kind == "time"]
    for name in times:
        call = re.sub(rf"{name}: time(, )?|, {name}: time(?=\))", "", call)
    call = call.replace(", )", ")")
    names = ", ".join(output.name for output in values_of(op))
    return call if is_one(op) else f"{call} -> {names}"


def function_of(call: Call, context: Context) -> Op:
    """Return the op that a call names. Errors: QF104, QF134, QF141."""
    if call.name not in context.functions:
        known = [each for op in context.functions.values() for each in {op.name, *calls(op)}]
        near = nearest(call.called, known)
        raise UNKNOWN_FUNCTION(name=call.called, near=near, place=context.source.spot(call.head))
    op = context.functions[call.name]
    names = [output.name for output in values_of(op)]
    if not call.output and not is_one(op):
        raise WHICH_OUTPUT(
            op=op.name,
            names=", ".join(names),
            calls=" or ".join(f"{each}(…)" for each in calls(op)),
            place=context.source.spot(call.head),
        )
    if call.output and call.output not in names:
        raise NO_OUTPUT(
            op=op.name,
            output=call.output,
            calls=" or ".join(f"{each}(…)" for each in calls(op)),
            near=nearest(call.output, names),
            place=context.source.spot(_output_span(call, context)),
        )
    return op


def _output_span(call: Call, context: Context) -> Span:
    """Return where the output's name stands; the whole head where a function wrote the call."""
    first, last = call.head
    written = context.source.text[last - len(call.output) : last]
    return (last - len(call.output), last) if written == call.output else (first, last)


def bind_call(call: Call, context: Context) -> Bound:
    """Return the call's arguments by name. Errors: QF104, QF112-QF115, QF134, QF141."""
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
    return Bound(op, inputs, parameters, "" if is_one(op) else call.output)


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
