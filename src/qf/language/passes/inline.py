"""Write functions out: parameters become numbers, an op made of a formula becomes its formula.

    zscore(price, 20)     ->  (price - rolling_mean(price, 20)) / rolling_std(price, 20)
    sum_levels(ofi, 3)    ->  ofi_0 + ofi_1 + ofi_2

Whatever a function writes stands at the call in the user's text, so errors point there.
"""

from __future__ import annotations

from qf.errors import diagnostic
from qf.language.arguments import Bound, bind_call, function_of, parameter_values
from qf.language.context import Context, Value
from qf.language.parse import parse
from qf.language.passes.across import across, compares_symbols
from qf.language.passes.by_regime import by_regime, takes_regime
from qf.language.source import Source
from qf.language.tree import Call, Name, Number, Text, Tree, count, move, transform, write

MAX_EXPANDED = 8192
MAX_NESTED = 32

TOO_LARGE = diagnostic(
    "QF117", "written out, the formula has more than {limit} parts", hint="compute it in two steps"
)
ENDLESS = diagnostic("QF118", "{op} is defined by itself")
NEEDS_FAMILY = diagnostic(
    "QF119",
    "{op} adds the levels of a family, {given} is none",
    hint="level families of clock {clock!r}: {families}",
)
NO_LEVELS_HERE = diagnostic(
    "QF131",
    "{op} reads the levels of the book, which live on clock 'tick'; this formula runs on {clock!r}",
    hint="compute it on ticks and bring it here by a bar aggregation (mode: tick_to_bar)",
)


def inline(tree: Tree, context: Context) -> Tree:
    """Return the tree without parameters and without ops that are formulas.

    Errors: QF104, QF112-QF119, QF131, QF142-QF144.
    """

    def bind(node: Tree) -> Tree:
        if isinstance(node, Name) and node.value in context.parameters:
            return _literal(context.parameters[node.value], node)
        return node

    return _write_out(transform(tree, bind), context, depth=0)


def _write_out(tree: Tree, context: Context, depth: int) -> Tree:
    def rule(node: Tree) -> Tree:
        if not isinstance(node, Call):
            return node
        rules = function_of(node, context).rules
        if "formula" not in rules and "expand" not in rules:
            return node
        if depth >= MAX_NESTED:
            raise ENDLESS(op=node.name, place=context.source.spot(node.head))
        written = _written(bind_call(node, context), node, context)
        new = _write_out(move(written, node.span), context, depth + 1)
        if count(new) > MAX_EXPANDED:
            raise TOO_LARGE(limit=MAX_EXPANDED, place=context.spot(node))
        return new

    new = transform(tree, rule)
    if count(new) > MAX_EXPANDED:
        raise TOO_LARGE(limit=MAX_EXPANDED, place=context.source.spot((0, 1)))
    return new


def _written(bound: Bound, call: Call, context: Context) -> Tree:
    if takes_regime(bound.op):
        return by_regime(bound, context)
    if compares_symbols(bound.op):
        return across(bound, call, context)
    if "expand" in bound.op.rules:
        return _expand(bound, call, context)
    return _formula(bound, context)


def _formula(bound: Bound, context: Context) -> Tree:
    """Return an op's own formula with the call's arguments in the places of its names."""
    windows = {name: tree for name, tree in bound.parameters.items() if isinstance(tree, Text)}
    numbers = {name: tree for name, tree in bound.parameters.items() if name not in windows}
    values = parameter_values(Bound(bound.op, bound.inputs, numbers), context)
    given: dict[str, Tree] = {**bound.inputs, **windows}
    for name, value in values.items():
        given.setdefault(name, _literal(value))

    def substitute(node: Tree) -> Tree:
        return given.get(node.value, node) if isinstance(node, Name) else node

    return transform(parse(Source(bound.op.rules["formula"]), bounded=False), substitute)


def _expand(bound: Bound, call: Call, context: Context) -> Tree:
    """Return what an op's expand rule writes for the call's argument texts."""
    families = context.table.families
    if bound.inputs and not families:
        place = context.source.spot(call.span)
        raise NO_LEVELS_HERE(op=bound.op.name, clock=context.table.clock, place=place)
    for tree in bound.inputs.values():
        if not isinstance(tree, Name) or tree.value not in families:
            raise NEEDS_FAMILY(
                op=bound.op.name,
                given=repr(write(tree)),
                clock=context.table.clock,
                families=", ".join(families),
                place=context.spot(tree),
            )
    texts = {name: write(tree) for name, tree in bound.inputs.items()}
    text = bound.op.rules["expand"](**texts, **parameter_values(bound, context))
    return parse(Source(text), bounded=False)


def _literal(value: Value, at: Name | None = None) -> Tree:
    span = at.span if at is not None else (0, 0)
    if isinstance(value, str):
        return Text(value, span)
    kind = "condition" if isinstance(value, bool) else "number"
    return Number(float(value), kind, span)
