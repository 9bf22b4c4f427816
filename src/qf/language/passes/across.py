"""Write a comparison of symbols out: one argument becomes that argument for every member.

cross_mean(ret)  ->  (coalesce(A.ret, 0) + coalesce(ret, 0) + …) / (where(is_null(A.ret), 0, 1) + …)

A member's column is named `A.ret?`: unlike `A.ret`, it may be missing and the value is made of the
others. The reading symbol itself stands in its place of the universe's order.
"""

from __future__ import annotations

import inspect
from dataclasses import replace

from qf.errors import diagnostic
from qf.language.arguments import Bound
from qf.language.columns import ColumnInfo, ColumnTable
from qf.language.context import Context
from qf.language.parse import parse
from qf.language.source import Source
from qf.language.tree import Call, Leaf, Name, Tree, transform, walk
from qf.op import Op

OWN = "own"
MAYBE = "?"  # behind the name of a column that may be missing

NO_MEMBERS = diagnostic(
    "QF143",
    "{op} compares symbols, and this formula is computed of one symbol alone",
    hint="write it in a cross set: feature_engine.cross in quantflow_project.yml",
)
NESTED = diagnostic(
    "QF144",
    "{op} stands around another comparison of symbols",
    hint="make the inner one a value of every symbol's own features, or write it beside this one",
)


def compares_symbols(op: Op) -> bool:
    """Say whether an op is written out over the members of a universe."""
    rule = op.rules.get("expand")
    return rule is not None and "members" in inspect.signature(rule).parameters


def across(bound: Bound, call: Call, context: Context) -> Tree:
    """Return what the op's expand rule writes of the members. Errors: QF143, QF144."""
    members = context.table.members
    place = context.source.spot(call.head)
    if members is None:
        raise NO_MEMBERS(op=bound.op.name, place=place)
    (own,) = bound.inputs.values()
    if any(isinstance(node, Leaf) for node in walk(own)):
        raise NESTED(op=bound.op.name, place=place)
    trees: dict[str, Tree] = {}
    for number, table in enumerate(members):
        name = OWN if table is None else f"member_{number}"
        trees[name] = own if table is None else _of_member(own, table, context)
    written = parse(Source(bound.op.rules["expand"](members=tuple(trees))), bounded=False)

    def substitute(node: Tree) -> Tree:
        return trees.get(node.value, node) if isinstance(node, Name) else node

    return transform(written, substitute)


def _of_member(tree: Tree, table: ColumnTable, context: Context) -> Tree:
    """Return the argument with another symbol's columns in place of the reading symbol's."""

    def rule(node: Tree) -> Tree:
        if not isinstance(node, Name):
            return node
        own: ColumnInfo | None = context.inputs.get(node.value)
        column = table.find(own.name if own is not None else node.value)
        if column is None:
            return node
        return Leaf(replace(column, name=f"{column.name}{MAYBE}"), node.span)

    return transform(tree, rule)
