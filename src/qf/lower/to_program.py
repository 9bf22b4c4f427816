"""Lower a graph to instructions of the machine: one per node that is not a column.

Nodes that are equal across formulas become one instruction, because a plan keeps no repeats; so do
nodes that read different values of one call.
A number becomes a column, filled once per value and clock: measured 0.2 ns a row in blocks of 2,048
(an addition is 0.5 ns) and 8 ns on a row alone, too little to have a second form of every op.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from qf.language.graph import Graph
from qf.language.outputs import flags_of, place_of
from qf.program import Column, Plan


def lower(
    graph: Graph, plan: Plan, columns: Mapping[str, Column], time: Column | None = None
) -> Column:
    """Append a graph's instructions to `plan` and return the column of its value.

    `columns` hold the plan's column for every name in `graph.columns`; `time` is the clock's
    processed_time (int64 ns), needed by ops over time and by formulas that read no column.
    """
    return _lower(graph, plan, columns, time)[-1].value


def flags(
    graph: Graph, plan: Plan, columns: Mapping[str, Column], time: Column | None = None
) -> dict[str, list[Column]]:
    """Return the int64 columns of 0 and 1 that its ops write beside their value, by their names.

    A time window that held more rows than its ring says so in `window_full`; the engine turns it
    into the quality bit of that name. The instructions are those that `lower` appends.
    """
    found: dict[str, list[Column]] = {}
    for made in _lower(graph, plan, columns, time):
        for name, column in made.flags:
            if column not in found.setdefault(name, []):  # values of one call share its flags
                found[name].append(column)
    return found


class _Made(NamedTuple):
    """The columns that one node became: its value and the flags beside it by name."""

    value: Column
    flags: tuple[tuple[str, Column], ...] = ()


def _lower(
    graph: Graph, plan: Plan, columns: Mapping[str, Column], time: Column | None
) -> list[_Made]:
    """Return the columns of each node."""
    made: list[_Made] = []
    clock = time.clock if time is not None else columns[graph.columns[0]].clock
    for node in graph.nodes:
        if node.column is not None:
            made.append(_Made(columns[node.column.name]))
            continue
        op = graph.ops[node.name]
        given = iter(node.inputs)
        inputs = [
            _time(time) if i.kind == "time" else made[next(given)].value
            for i in op.signature.inputs
        ]
        groups = plan.add(op, inputs, dict(node.parameters), row_clock=clock)
        named = zip(op.signature.outputs, groups, strict=True)
        flags = flags_of(op)
        beside = tuple((output.name, group[0]) for output, group in named if output in flags)
        made.append(_Made(groups[place_of(op, node.output)][0], beside))
    return made


def _time(time: Column | None) -> Column:
    assert time is not None, "a formula over time was lowered without its clock's time column"
    return time
