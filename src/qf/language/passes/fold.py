"""Compute what is constant before the first row, where that changes no bit of the answer.

    2 * 3 + x            ->  6 + x
    where(true, x, y)    ->  x
    x * 1, x / 1, x - 0  ->  x

`x + 0` stays: it turns -0 into 0. `x * 0` stays: it keeps the missing values of x.
"""

from __future__ import annotations

from qf.language.constants import apply_exact
from qf.language.context import Context
from qf.language.tree import Call, Number, Tree, transform

# op: (which argument, the number it must be, which argument is the answer)
_IDENTITIES = {
    "mul": ((1, 1.0, 0), (0, 1.0, 1)),
    "div": ((1, 1.0, 0),),
    "sub": ((1, 0.0, 0),),
    "pow": ((1, 1.0, 0),),
}
# op: the truth that decides it; the other truth leaves the other argument
_LOGIC = {"and_": 0.0, "or_": 1.0}


def fold(tree: Tree, context: Context) -> Tree:
    """Return the tree with its constant parts computed."""

    def rule(node: Tree) -> Tree:
        if not isinstance(node, Call) or node.named:
            return node
        known = apply_exact(node, context)
        if known is not None:
            return known
        return _choose(node) or _identity(node) or node

    return transform(tree, rule)


def _choose(call: Call) -> Tree | None:
    """Return the argument that a constant condition picks."""
    given = call.arguments
    if call.name == "where" and len(given) == 3 and _is_truth(given[0]):
        return given[1] if given[0].value else given[2]  # type: ignore[union-attr]
    if call.name in _LOGIC and len(given) == 2:
        for one, other in (given, given[::-1]):
            if _is_truth(one):
                return one if one.value == _LOGIC[call.name] else other  # type: ignore[union-attr]
    return None


def _identity(call: Call) -> Tree | None:
    """Return the argument that an operation with 1 or 0 leaves as it is."""
    if len(call.arguments) != 2:
        return None
    for place, number, answer in _IDENTITIES.get(call.name, ()):
        node = call.arguments[place]
        same = isinstance(node, Number) and node.kind == "number" and node.value == number
        signed = same and str(node.value).startswith("-")  # x - -0.0 is x + 0.0, which is not x
        if same and not signed and not isinstance(call.arguments[answer], Number):
            return call.arguments[answer]
    return None


def _is_truth(node: Tree) -> bool:
    return isinstance(node, Number) and node.kind == "condition"
