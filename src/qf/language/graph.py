"""A checked formula: nodes in an order in which every input comes first, each with what is known.

Node 0 .. n-1; `inputs` are places of earlier nodes; the last node is the formula's value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qf.errors import QuantflowError
from qf.language.columns import ColumnInfo, level_of
from qf.language.memory import NOW, Memory
from qf.language.source import Source
from qf.language.tree import Span, write_number
from qf.language.units import Unit, write_unit
from qf.op import Op


@dataclass(frozen=True)
class Node:
    """A column of the clock, or an op at work on earlier nodes."""

    name: str  # the op's, or "column"
    inputs: tuple[int, ...] = ()
    parameters: tuple[tuple[str, Any], ...] = ()
    column: ColumnInfo | None = None
    kind: str = "float"  # float, int or bool (0, 1 or missing in a float64 column)
    unit: Unit | None = None
    warmup: int = 0  # rows of the clock before the first value
    memory: Memory = NOW
    book: bool = False  # reads what the order book made
    span: Span = (0, 0)
    output: str = ""  # which of the op's values, "" where it has one

    @property
    def key(self) -> tuple[object, ...]:
        """Return what makes two nodes the same computation."""
        return (*self.call, self.output)

    @property
    def call(self) -> tuple[object, ...]:
        """Return what makes two nodes values of the same instruction."""
        return (self.name, self.inputs, self.parameters, self.column)

    @property
    def called(self) -> str:
        """Return what a formula calls: `cusum.alarm`, or the op's bare name."""
        return f"{self.name}.{self.output}" if self.output else self.name

    def write(self) -> str:
        """Return the node as one line: `rolling_mean(%3, window=20)`."""
        if self.column is not None:
            return self.column.name
        if self.name == "constant":
            return write_number(dict(self.parameters)["value"])
        named = [f"{name}={write_value(value)}" for name, value in self.parameters]
        return f"{self.called}({', '.join([*(f'%{i}' for i in self.inputs), *named])})"


@dataclass(frozen=True)
class Graph:
    """One formula, ready to be lowered; everything an engine asks about it is a property."""

    source: Source
    clock: str
    nodes: tuple[Node, ...]
    ops: dict[str, Op]  # the ops in use, by name
    written: str  # the formula after inlining and folding
    warnings: tuple[QuantflowError, ...] = ()

    @property
    def root(self) -> Node:
        """Return the node whose value is the formula's."""
        return self.nodes[-1]

    @property
    def kind(self) -> str:
        """Return float, or bool for a condition."""
        return "bool" if self.root.kind == "bool" else "float"

    @property
    def unit(self) -> str:
        """Return the unit as text."""
        return write_unit(self.root.unit)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns it reads, sorted."""
        return tuple(sorted({n.column.name for n in self.nodes if n.column is not None}))

    @property
    def levels(self) -> int:
        """Return how many levels of the book it needs; 0 where it reads none."""
        return 1 + max((level_of(name) for name in self.columns), default=-1)

    @property
    def book(self) -> bool:
        """Say whether any column it reads was made by the order book."""
        return self.root.book

    @property
    def needs_time(self) -> bool:
        """Say whether an op in it reads the clock's processed_time."""
        return any(i.kind == "time" for op in self.ops.values() for i in op.signature.inputs)

    @property
    def warmup_rows(self) -> int:
        """Return the rows of the clock before the first value."""
        return self.root.warmup

    @property
    def memory(self) -> Memory:
        """Return the reach of the past into one value."""
        return self.root.memory

    @property
    def lookback_rows(self) -> int | None:
        """Return how many earlier rows a value reads; None where the past never ends."""
        return self.memory.rows - 1 if self.memory.rows else None

    @property
    def tolerance(self) -> float:
        """Return the sum of the relative tolerances that its ops declare."""
        return sum(self.ops[n.name].tolerance for n in self.nodes if n.column is None)

    @property
    def state_bytes(self) -> int:
        """Return the bytes a saved state holds for it: op states and column tails."""
        return state_bytes(self.nodes, self.ops)


def state_bytes(nodes: tuple[Node, ...], ops: dict[str, Op]) -> int:
    """Return the bytes of state that running the nodes takes, before anything is allocated."""
    words, tail = 0, 1
    once: set[object] = set()  # values of one instruction share its state
    for node in nodes:
        if node.column is None and node.call not in once:
            once.add(node.call)
            op, given = ops[node.name], dict(node.parameters)
            words += op.amount("slots", given) + op.amount("ints", given)
            tail = max(tail, op.amount("lookback", given) + 1)
    return 8 * (words + tail * len(nodes))


def write_value(value: object) -> str:
    """Return a parameter's value as a formula writes it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return write_number(value)
