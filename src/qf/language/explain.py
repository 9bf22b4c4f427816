"""Say in plain text what a formula is: what it reads, how far back, and the program it becomes."""

from __future__ import annotations

from qf.clock import DURATION_NS
from qf.language.graph import Graph, Node, write_value
from qf.language.memory import Memory
from qf.language.units import write_unit


def explain(graph: Graph) -> str:
    """Return the explanation that `qf explain` prints."""
    reads = ", ".join(graph.columns) or "no column"
    lines = [
        f"formula    {' '.join(graph.source.text.split())}",
        f"written    {graph.written}",
        f"clock      {graph.clock}",
        f"reads      {reads}" + ("  (of the order book)" if graph.book else ""),
        f"value      {'condition' if graph.kind == 'bool' else 'float64'}, unit {graph.unit}",
        f"look-back  {_look_back(graph.memory)}",
        f"warm-up    {_rows(graph.warmup_rows)}",
        f"memory     {_memory(graph.memory)}",
        f"state      {graph.state_bytes:,} bytes",
        f"tolerance  {_tolerance(graph.tolerance)}",
        "graph",
        *_tree(graph),
        "program",
        *_program(graph),
    ]
    if graph.warnings:
        lines.append("warnings")
        lines.extend(f"  {line}" for each in graph.warnings for line in str(each).splitlines())
    return "\n".join(lines)


def _tree(graph: Graph) -> list[str]:
    """Return the nodes as an indented tree; what is shared is drawn once and then named."""
    lines: list[str] = []
    drawn: set[int] = set()
    stack = [(len(graph.nodes) - 1, 0)]
    while stack:
        place, depth = stack.pop()
        node = graph.nodes[place]
        text = _call(graph, node, inputs=False)
        again = place in drawn and bool(node.inputs)
        lines.append(f"  {'  ' * depth}%{place} {text}" + (" (as above)" if again else ""))
        if not again:
            drawn.add(place)
            stack.extend((i, depth + 1) for i in reversed(node.inputs))
    return lines


def _program(graph: Graph) -> list[str]:
    """Return one line per instruction: what it writes, what it reads, its unit and warm-up."""
    written = [_call(graph, node) for node in graph.nodes]
    width = max(len(text) for text in written)
    lines = []
    for place, (node, text) in enumerate(zip(graph.nodes, written, strict=True)):
        kind = {"float": "float64", "int": "int64", "bool": "condition"}[node.kind]
        about = f"{kind}, {write_unit(node.unit)}"
        if node.column is None and node.warmup:
            about += f", after {node.warmup} rows"
        lines.append(f"  %{place:<3} = {text:<{width}}  {about}")
    return lines


def _call(graph: Graph, node: Node, inputs: bool = True) -> str:
    """Return a node as a call, durations in their own words."""
    if node.column is not None or node.name == "constant":
        return node.write()
    kinds = {p.name: p.kind for p in graph.ops[node.name].signature.parameters}
    given = [f"%{place}" for place in node.inputs] if inputs else []
    for name, value in node.parameters:
        text = _duration(value) if kinds[name] == "duration" else write_value(value)
        given.append(f"{name}={text}")
    return f"{node.called}({', '.join(given)})" if inputs or given else node.called


def _look_back(memory: Memory) -> str:
    if memory.unbounded:
        return "unbounded: all rows since the history's start"
    ahead = f"{memory.rows - 1} earlier rows"
    return ahead + (f" and {_duration(memory.ns)}" if memory.ns else "")


def _memory(memory: Memory) -> str:
    if memory.unbounded:
        return "unbounded: a doubtful row marks every later one"
    spans = [_rows(size) if kind == "rows" else _duration(size) for kind, size in memory.steps]
    return "a doubtful row is felt for " + (", then ".join(spans) or "1 row")


def _rows(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _duration(ns: int) -> str:
    for unit in ("d", "h", "m", "s", "ms", "us"):
        if ns >= DURATION_NS[unit] and ns % DURATION_NS[unit] == 0:
            return f"{ns // DURATION_NS[unit]}{unit}"
    return f"{ns}ns"


def _tolerance(value: float) -> str:
    return f"{value:.2g} relative, machine to Polars" if value else "exact, machine to Polars"
