"""Lower a graph to instructions of the machine: one per node that is not a column.

Nodes that are equal across formulas become one instruction, because a plan keeps no repeats.
A number becomes a column written once per value and clock: measured on the 15-feature pack, one
more instruction that fills 16 kB in the first-level cache costs less than an op form of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from qf.language.graph import Graph
from qf.program import Column, Plan


def lower(
    graph: Graph, plan: Plan, columns: Mapping[str, Column], time: Column | None = None
) -> Column:
    """Append a graph's instructions to `plan` and return the column of its value.

    `columns` hold the plan's column for every name in `graph.columns`; `time` is the clock's
    processed_time (int64 ns), needed by ops over time and by formulas that read no column.
    """
    made: list[Column] = []
    clock = time.clock if time is not None else columns[graph.columns[0]].clock
    for node in graph.nodes:
        if node.column is not None:
            made.append(columns[node.column.name])
            continue
        op = graph.ops[node.name]
        given = iter(node.inputs)
        inputs = [
            _time(time) if i.kind == "time" else made[next(given)] for i in op.signature.inputs
        ]
        groups = plan.add(op, inputs, dict(node.parameters), row_clock=clock)
        made.append(groups[0][0])
    return made[-1]


def _time(time: Column | None) -> Column:
    assert time is not None, "a formula over time was lowered without its clock's time column"
    return time
