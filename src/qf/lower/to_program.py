"""Lower a graph to instructions of the machine: one per node that is not a column.

Nodes that are equal across formulas become one instruction, because a plan keeps no repeats.
A number becomes a column, filled once per value and clock: measured 0.2 ns a row in blocks of 2,048
(an addition is 0.5 ns) and 8 ns on a row alone, too little to have a second form of every op.
"""

from __future__ import annotations

from collections.abc import Mapping

from qf.language.graph import Graph, Node
from qf.program import Column, Plan


def lower(
    graph: Graph, plan: Plan, columns: Mapping[str, Column], time: Column | None = None
) -> Column:
    """Append a graph's instructions to `plan` and return the column of its value.

    `columns` hold the plan's column for every name in `graph.columns`; `time` is the clock's
    processed_time (int64 ns), needed by ops over time and by formulas that read no column.
    """
    return _lower(graph, plan, columns, time)[-1][1][0][0]


def flags(
    graph: Graph, plan: Plan, columns: Mapping[str, Column], time: Column | None = None
) -> dict[str, list[Column]]:
    """Return the int64 columns of 0 and 1 that its ops write beside their value, by their names.

    A time window that held more rows than its ring says so in `window_full`; the engine turns it
    into the quality bit of that name. The instructions are those that `lower` appends.
    """
    found: dict[str, list[Column]] = {}
    for node, groups in _lower(graph, plan, columns, time):
        if node.column is None:
            for output, group in zip(graph.ops[node.name].signature.outputs, groups, strict=True):
                if output is not graph.ops[node.name].signature.outputs[0]:
                    found.setdefault(output.name, []).extend(group)
    return found


def _lower(
    graph: Graph, plan: Plan, columns: Mapping[str, Column], time: Column | None
) -> list[tuple[Node, tuple[tuple[Column, ...], ...]]]:
    """Return each node with the columns of each of its outputs."""
    made: list[tuple[Node, tuple[tuple[Column, ...], ...]]] = []
    clock = time.clock if time is not None else columns[graph.columns[0]].clock
    for node in graph.nodes:
        if node.column is not None:
            made.append((node, ((columns[node.column.name],),)))
            continue
        op = graph.ops[node.name]
        given = iter(node.inputs)
        inputs = [
            _time(time) if i.kind == "time" else made[next(given)][1][0][0]
            for i in op.signature.inputs
        ]
        made.append((node, plan.add(op, inputs, dict(node.parameters), row_clock=clock)))
    return made


def _time(time: Column | None) -> Column:
    assert time is not None, "a formula over time was lowered without its clock's time column"
    return time
