"""Lower graphs to Polars: the independent second engine.

1. nodes that are equal across the graphs become one
2. nodes are put on stages: a stage reads columns that earlier stages have made, because a Polars
   rule may use `over` or `rolling`, which would compute a nested expression once per group
3. each stage is one `with_columns`; the values get the features' names, the rest is dropped

Missing is null on this side, never NaN: columns and answers pass `_finite`, and the contract suite
refuses an op whose rule returns anything else, so 1/0 is null here as it is NaN in the machine.
An op of several outputs returns a tuple of expressions in the order of its signature: tuples need
no names of their own, and in a lazy frame Polars computes once what they have in common.
A number is a column of full length and not a literal (ops/constant.py): Polars computes `column /
literal` as a multiplication by the reciprocal, which differs from a division in the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import polars as pl

from qf.errors import RunError, diagnostic
from qf.language.graph import Graph, Node
from qf.language.outputs import flags_of, place_of
from qf.op import Op

NO_POLARS_RULE = diagnostic(
    "QF139",
    "{op} has no Polars rule: {reason}",
    RunError,
    "compute this feature with the machine: historical_feature_engine: machine",
)

Expression = pl.Expr
_VALUE = "%value"
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def with_graphs(
    frame: Frame, graphs: Mapping[str, Graph], time: str = "processed_time", flags: bool = False
) -> Frame:
    """Return the frame with one Float64 column per graph, null where missing.

    The frame holds one symbol's rows of the graphs' clock in tape order, from the history's
    start, with the columns that the graphs name; `time` is its column of int64 ns. With `flags`
    what ops write beside their value comes too: `<graph>:window_full`, 1 where any of its ops says
    so. Errors: QF139.
    """
    nodes, ops, places = _merge(graphs)
    beside: dict[int, list[str]] = {}
    for stage in _stages(nodes):
        columns = []
        for place in stage:
            value, others = _made(nodes[place], ops, time)
            columns.append(value.alias(f"%{place}"))
            if flags and others:
                beside[place] = list(others)
                columns += [each.alias(f"%{place}:{name}") for name, each in others.items()]
        frame = frame.with_columns(columns)
    answers = [_finite(pl.col(f"%{own[-1]}")).alias(name) for name, own in places.items()]
    for name, own in places.items():
        for flag in dict.fromkeys(flag for place in own for flag in beside.get(place, ())):
            said = [f"%{place}:{flag}" for place in own if flag in beside.get(place, ())]
            answers.append(pl.max_horizontal(said).alias(f"{name}:{flag}"))
    made = [f"%{place}" for place in range(len(nodes))]
    made += [f"%{place}:{flag}" for place, names in beside.items() for flag in names]
    return frame.with_columns(answers).drop(made)


def to_polars(graph: Graph, time: str = "processed_time") -> pl.Expr:
    """Return one expression for the graph's value, for `select`, `with_columns` and `over`.

    It runs the stages of `with_graphs` over the columns the graph names: as nested expressions
    they would double with every op, because a rule names its input more than once. Errors: QF139.
    """
    names = list(graph.columns)
    names += [time] if time not in names and (graph.needs_time or not names) else []

    def stages(columns: pl.Series) -> pl.Series:
        return with_graphs(columns.struct.unnest(), {_VALUE: graph}, time)[_VALUE]

    return pl.struct(names).map_batches(stages, return_dtype=pl.Float64)


def _merge(
    graphs: Mapping[str, Graph],
) -> tuple[list[Node], dict[str, Op], dict[str, list[int]]]:
    """Return the nodes of all graphs without repeats, their ops, and each graph's places.

    The last place of a graph is its value's.
    """
    nodes: list[Node] = []
    place_of: dict[object, int] = {}
    ops: dict[str, Op] = {}
    places: dict[str, list[int]] = {}
    for name, graph in graphs.items():
        ops.update(graph.ops)
        moved: list[int] = []
        for node in graph.nodes:
            node = replace(node, inputs=tuple(moved[i] for i in node.inputs))
            if node.key not in place_of:
                place_of[node.key] = len(nodes)
                nodes.append(node)
            moved.append(place_of[node.key])
        places[name] = moved
    return nodes, ops, places


def _stages(nodes: list[Node]) -> Iterator[list[int]]:
    """Yield the places of the nodes that can be made together, first the columns."""
    depths: list[int] = []
    for node in nodes:
        depths.append(1 + max((depths[i] for i in node.inputs), default=-1))
    for depth in range(max(depths, default=-1) + 1):
        yield [place for place, each in enumerate(depths) if each == depth]


def _made(node: Node, ops: Mapping[str, Op], time: str) -> tuple[pl.Expr, dict[str, pl.Expr]]:
    """Return a node's value, and what its op writes beside it by output name."""
    if node.column is not None:
        column = pl.col(node.column.name)
        return (column if node.kind == "int" else _finite(column)), {}
    parameters: dict[str, Any] = dict(node.parameters)
    op = ops[node.name]
    if "polars" not in op.rules:
        raise NO_POLARS_RULE(op=op.name, reason=op.gaps.get("polars", "none is written"))
    given = iter([pl.col(f"%{place}") for place in node.inputs])
    inputs = [pl.col(time) if i.kind == "time" else next(given) for i in op.signature.inputs]
    made = op.rules["polars"](*inputs, **parameters)
    outputs = op.signature.outputs
    parts = dict(zip(outputs, made if isinstance(made, tuple) else (made,), strict=True))
    value = parts[outputs[place_of(op, node.output)]]
    others = {flag.name: parts[flag].cast(pl.Int64) for flag in flags_of(op)}
    return (value if node.kind == "int" else value.cast(pl.Float64)), others


def _finite(expression: pl.Expr) -> pl.Expr:
    """Return the expression as Float64 with null in place of everything that is not finite."""
    number = expression.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number)
