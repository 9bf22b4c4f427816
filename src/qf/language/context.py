"""What every pass is given besides the tree: text, columns, parameters, functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qf.errors import Place
from qf.language.columns import ColumnInfo, ColumnTable
from qf.language.source import Source
from qf.language.tree import Tree
from qf.op import Op, family

Value = float | int | bool | str
FAMILIES = ("detectors", "ops")  # whose ops are functions; no two of them share a name


def functions() -> dict[str, Op]:
    """Return every op a formula may call, by name.

    Labels and bar rules are of other families; ops over quality bits are the engines' own.
    """
    return {op.name: op for each in FAMILIES for op in family(each) if op.unit != "bits"}


@dataclass(frozen=True)
class Context:
    """The surroundings of one formula."""

    source: Source
    table: ColumnTable
    parameters: Mapping[str, Value] = field(default_factory=dict)
    inputs: Mapping[str, ColumnInfo] = field(default_factory=dict)
    known: tuple[ColumnTable, ...] = ()
    functions: Mapping[str, Op] = field(default_factory=functions)

    def spot(self, tree: Tree) -> Place:
        """Return the place of a node in the text."""
        return self.source.spot(tree.span)
