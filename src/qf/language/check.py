"""Type a tree: every call becomes a node with kind, unit, warm-up and memory, or an error.

Kinds: a condition (comparison, and/or/not) counts as 0 and 1 where a number is wanted; a number
is never a condition. Whole-number columns become float64 by `float_of`, except ids and times.
Units: adding or comparing different units is a warning, not an error: units come in part from
users' own features, and a score that adds ratios of different make is legal work. Measured: none
of the library's feature types is warned of, so a warning is worth reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from qf.errors import QuantflowError, diagnostic
from qf.language.arguments import Bound, bind_call, parameter_values
from qf.language.context import Context
from qf.language.graph import Node
from qf.language.memory import Memory, join
from qf.language.outputs import place_of, unit_text
from qf.language.tree import Call, Leaf, Number, Text, Tree, say, walk, write
from qf.language.units import parse_unit, unit_of, write_unit
from qf.language.windows import read_window
from qf.op import Op

NEEDS_CONDITION = diagnostic(
    "QF127",
    "{op} wants a condition here, {given} is a number",
    hint="compare it with something: {given} > 0",
)
NEEDS_COLUMN = diagnostic("QF128", "{text} stands where a column or a number belongs")
ID_OR_TIME = diagnostic(
    "QF129",
    "{name!r} is {what}: a float64 cannot hold it, so no formula computes with it",
    hint="ages and clocks: seconds_since(condition), hour(), minute(), day_of_week()",
)
UNITS_DIFFER = diagnostic(
    "QF130", "{op} takes unlike units, {left} and {right}: {left_text} and {right_text}"
)
NEEDS_WHOLE = diagnostic("QF132", "{op}: {name} must be a column of whole numbers")
NO_TIME_WINDOW = diagnostic(
    "QF133",
    "{op} has no window in time",
    hint="over time there are: {known}",
)
LOST_ARGUMENT = diagnostic("QF135", "{op} over a time window takes no {name}")


BAR_RING_ROWS = 4096  # a time window holds at most so many bars by default; ticks: the op's default

# These hand on a value they are given: of conditions they make a condition.
_CHOOSE = ("where", "coalesce", "lag")


@dataclass
class _Nodes:
    """The nodes made so far."""

    context: Context
    made: list[Node] = field(default_factory=list)
    warnings: list[QuantflowError] = field(default_factory=list)

    def add(self, node: Node) -> int:
        self.made.append(node)
        return len(self.made) - 1


def check(tree: Tree, context: Context) -> tuple[tuple[Node, ...], tuple[QuantflowError, ...]]:
    """Return the nodes of a resolved tree and the warnings. Errors: QF104-QF135, QF401-QF405."""
    nodes = _Nodes(context)
    place_of: dict[int, int] = {}  # tree nodes by identity: where their value is made
    needed = _column_places(tree, context)
    for node in walk(tree):
        if id(node) not in needed:
            continue
        if isinstance(node, Call):
            place_of[id(node)] = _call(needed[id(node)], node, nodes, place_of)
        else:
            place_of[id(node)] = _leaf(node, nodes)
    last = place_of[id(tree)]
    if nodes.made[last].kind == "int":
        last = _as_float(last, nodes, tree)
    return tuple(nodes.made[: last + 1]), tuple(nodes.warnings)


def _column_places(tree: Tree, context: Context) -> dict[int, Bound | None]:
    """Return the nodes that stand for columns (a parameter's argument does not), calls bound."""
    needed: dict[int, Bound | None] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        needed[id(node)] = None
        if isinstance(node, Call):
            bound = _in_time(bind_call(node, context), context)
            needed[id(node)] = bound
            stack.extend(bound.inputs.values())
    return needed


def _in_time(bound: Bound, context: Context) -> Bound:
    """Read typed windows: rows become a number, a duration selects the op's form over time."""
    kinds = {p.name: p.kind for p in bound.op.signature.parameters}
    for name, tree in bound.parameters.items():
        if kinds[name] != "int" or not isinstance(tree, Text):
            continue
        window = read_window(tree, context.table, context.source)
        place = context.spot(tree)
        if not window.ns:
            parameters = {**bound.parameters, name: Number(float(window.rows), span=tree.span)}
            return _in_time(replace(bound, parameters=parameters), context)
        form = context.functions.get(bound.op.window_form)
        if form is None:
            known = sorted({o.window_form for o in context.functions.values() if o.window_form})
            raise NO_TIME_WINDOW(op=bound.op.name, known=", ".join(known), place=place)
        names = [p.name for p in form.signature.parameters]
        for other, value in bound.parameters.items():
            if other not in names:
                raise LOST_ARGUMENT(op=bound.op.name, name=other, place=context.spot(value))
        return replace(bound, op=form)
    return bound


def _call(bound: Bound | None, call: Call, nodes: _Nodes, place_of: dict[int, int]) -> int:
    assert bound is not None
    context, op = nodes.context, bound.op
    unit = unit_text(op, bound.output)
    values = _with_clock_defaults(bound, parameter_values(bound, context), context)
    inputs = [
        _fit(bound, name, tree, place_of[id(tree)], nodes) for name, tree in bound.inputs.items()
    ]
    _check_units(bound, inputs, nodes, call)
    below = [nodes.made[i] for i in inputs]
    return nodes.add(
        Node(
            name=op.name,
            inputs=tuple(inputs),
            parameters=tuple(values.items()),
            kind=_kind(bound, unit, below),
            unit=() if unit == "bool" else _unit(bound, unit, below),
            warmup=op.amount("warmup", values) + max((n.warmup for n in below), default=0),
            memory=_memory(op, values, below),
            book=any(n.book for n in below),
            span=call.span,
            output=bound.output,
        )
    )


def _leaf(tree: Tree, nodes: _Nodes) -> int:
    if isinstance(tree, Leaf):
        column = tree.column
        unit = () if column.kind == "bool" else parse_unit(column.unit)
        node = Node(
            "column",
            column=column,
            kind=column.kind,
            unit=unit,
            book=column.book,
            span=tree.span,
        )
        return nodes.add(node)
    if isinstance(tree, Number):
        if tree.kind == "null":
            return nodes.add(Node("missing", span=tree.span))
        kind = "bool" if tree.kind == "condition" else "float"
        parameters = (("value", tree.value),)
        return nodes.add(Node("constant", parameters=parameters, kind=kind, span=tree.span))
    raise NEEDS_COLUMN(text=write(tree), place=nodes.context.spot(tree))


def _fit(bound: Bound, name: str, tree: Tree, place: int, nodes: _Nodes) -> int:
    """Return the place of an input in the kind that the op wants."""
    node = nodes.made[place]
    kind = next(i.kind for i in bound.op.signature.inputs if i.name == name)
    if kind == "int":
        if node.kind != "int":
            spot = nodes.context.spot(tree)
            raise NEEDS_WHOLE(op=bound.op.name, name=name, place=spot)
        return place
    if name.startswith("condition"):
        if node.kind != "bool" and node.name != "missing":
            given = write(tree)
            spot = nodes.context.spot(tree)
            raise NEEDS_CONDITION(op=say(bound.op.name), given=given, place=spot)
        return place
    return _as_float(place, nodes, tree) if node.kind == "int" else place


def _as_float(place: int, nodes: _Nodes, tree: Tree) -> int:
    node = nodes.made[place]
    column = node.column
    if column is not None and column.unit in ("id", "time"):
        what = "an id" if column.unit == "id" else "a time in ns"
        raise ID_OR_TIME(name=column.name, what=what, place=nodes.context.spot(tree))
    return nodes.add(
        Node(
            "float_of",
            (place,),
            unit=node.unit,
            warmup=node.warmup,
            memory=node.memory,
            book=node.book,
            span=node.span,
        )
    )


def _number_inputs(op: Op) -> list[str]:
    return [
        i.name
        for i in op.signature.inputs
        if i.kind == "float" and not i.name.startswith("condition")
    ]


def _check_units(bound: Bound, inputs: list[int], nodes: _Nodes, call: Call) -> None:
    """Warn where an op whose answer has the unit of one input is given another unit beside it."""
    names = _number_inputs(bound.op)
    if len(names) < 2 or unit_text(bound.op, bound.output) not in ("bool", names[0]):
        return
    below = dict(zip(bound.inputs, inputs, strict=True))
    known = [(name, nodes.made[below[name]].unit) for name in names]
    known = [(name, unit) for name, unit in known if unit is not None]
    for name, unit in known[1:]:
        if unit != known[0][1]:
            nodes.warnings.append(
                UNITS_DIFFER(
                    op=say(bound.op.name),
                    left=write_unit(known[0][1]),
                    right=write_unit(unit),
                    left_text=write(bound.inputs[known[0][0]]),
                    right_text=write(bound.inputs[name]),
                    place=nodes.context.source.spot(call.head),
                )
            )


def _unit(bound: Bound, text: str, below: list[Node]) -> Any:
    given = dict(zip(bound.inputs, below, strict=True))
    names = _number_inputs(bound.op)
    if not given and text == "x":
        return None
    units = {name: node.unit for name, node in given.items()}
    values = {
        name: dict(node.parameters)["value"] if node.name == "constant" else None
        for name, node in given.items()
    }
    if names and text == names[0]:  # the first that has a unit: where(c, 0, price) is a price
        return next((units[name] for name in names if units[name] is not None), None)
    if text in ("x*y", "x/y"):  # a number beside a unit is a pure number
        units = {name: () if values[name] is not None else unit for name, unit in units.items()}
    return unit_of(text, units, values)


def _with_clock_defaults(bound: Bound, values: dict[str, Any], context: Context) -> dict[str, Any]:
    """Return the parameters with a smaller ring for time windows over bars, unless one is given."""
    if context.table.is_bar and "max_rows" in values and "max_rows" not in bound.parameters:
        return {**values, "max_rows": min(values["max_rows"], BAR_RING_ROWS)}
    return values


def _kind(bound: Bound, unit: str, below: list[Node]) -> str:
    if unit == "bool" or _chooses_conditions(bound, below):
        return "bool"
    return bound.op.signature.outputs[place_of(bound.op, bound.output)].kind


def _chooses_conditions(bound: Bound, below: list[Node]) -> bool:
    """Say whether a choice has only conditions to choose from."""
    names = _number_inputs(bound.op)
    chosen = [node for name, node in zip(bound.inputs, below, strict=True) if name in names]
    if bound.op.name not in _CHOOSE or all(node.name == "missing" for node in chosen):
        return False
    return all(node.kind == "bool" or node.name == "missing" for node in chosen)


def _memory(op: Op, values: dict[str, Any], below: list[Node]) -> Memory:
    inner = join([node.memory for node in below])
    kinds = {p.name: p.kind for p in op.signature.parameters}
    if kinds.get("window") == "duration":
        return inner.behind_ns(int(values["window"]))
    return inner.behind_rows(op.amount("memory", values))
