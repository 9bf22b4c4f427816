"""Compute what is known before the first row, by the ops' own definitions.

A parameter may be any constant expression. In a column's place only ops whose answer is the same
bits everywhere (tolerance EXACT) are computed here; the rest is left to the engines.
"""

from __future__ import annotations

import math

from qf.language.context import Context
from qf.language.outputs import is_one
from qf.language.tree import Call, Number, Tree, walk
from qf.op import EXACT, Op


def evaluate(tree: Tree, context: Context) -> Number | None:
    """Return the number a constant expression means, or None where it reads a column."""
    made: list[Number | None] = []
    for node in walk(tree):
        if isinstance(node, Call):
            total = len(node.arguments) + len(node.named)
            below = made[len(made) - total :]
            del made[len(made) - total :]
            made.append(_apply(node, below, context, exact=False))
        else:
            made.append(node if isinstance(node, Number) else None)
    return made[0]


def apply_exact(call: Call, context: Context) -> Number | None:
    """Return the value of a call on constants where every engine gives the same bits, else None."""
    below = [node if isinstance(node, Number) else None for node in call.arguments]
    return None if call.named else _apply(call, below, context, exact=True)


def _apply(call: Call, below: list[Number | None], context: Context, exact: bool) -> Number | None:
    op = context.functions.get(call.name)
    if op is None or call.named or not is_elementwise(op) or op.signature.parameters:
        return None
    if len(below) != len(op.signature.inputs) or (exact and op.tolerance != EXACT):
        return None
    values = [node.value for node in below if node is not None and node.kind != "null"]
    if len(values) != len(below):
        return None
    try:
        value = float(op.rules["definition"](*[[value] for value in values]))
    except (ArithmeticError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        return Number(0.0, "null", call.span)
    return Number(value, "condition" if op.unit == "bool" else "number", call.span)


def is_elementwise(op: Op) -> bool:
    """Say whether a value depends on nothing but the same row of the op's float inputs."""
    signature = op.signature
    if not signature.inputs or "definition" not in op.rules or op.shape != "map":
        return False
    if not is_one(op):
        return False
    if any(i.kind != "float" for i in signature.inputs) or signature.parameters:
        return False
    return not any(op.amount(which, {}) for which in ("warmup", "lookback", "slots", "ints"))
