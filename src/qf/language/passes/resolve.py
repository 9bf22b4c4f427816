"""Give every name its column: a placeholder's input, or a column of the formula's own clock."""

from __future__ import annotations

from qf.errors import QuantflowError, diagnostic, nearest
from qf.language.columns import ColumnInfo, ColumnTable, level_of
from qf.language.context import Context
from qf.language.passes.inline import NO_LEVELS_HERE
from qf.language.tree import Leaf, Name, Tree, transform

UNKNOWN_NAME = diagnostic(
    "QF122", "unknown column {name!r} on clock {clock!r}", hint="columns there: {names}"
)
BARE_FAMILY = diagnostic(
    "QF123",
    "{name!r} is a family of {levels} levels, not a column",
    hint="write sum_levels({name}, 5), or one level: {name}_0",
)
NO_LEVEL = diagnostic(
    "QF124",
    "{name!r} is beyond the recorded levels: {family} has levels 0 to {last}",
    hint="raise depth_levels in the project, or read fewer levels",
)
CLOCK_MIX = diagnostic(
    "QF125",
    "{name!r} lives on clock {theirs!r}, this formula runs on clock {ours!r}",
    hint="two bridges lead across: a bar aggregation brings tick values to a bar clock "
    "(mode: tick_to_bar with bar_aggregation), a staleness contract brings a bar clock's feature "
    "to the decision clock (staleness)",
)
UNKNOWN_TABLE = diagnostic("QF126", "unknown table {table!r}")
UNKNOWN_SYMBOL = diagnostic(
    "QF145", "unknown symbol {table!r}", hint="the universe of this cross set: {known}"
)


def resolve(tree: Tree, context: Context) -> Tree:
    """Return the tree with a column in place of every name. Errors: QF122-QF126, QF145."""

    def rule(node: Tree) -> Tree:
        return Leaf(_column(node, context), node.span) if isinstance(node, Name) else node

    return transform(tree, rule)


def _column(name: Name, context: Context) -> ColumnInfo:
    text = name.value
    table, _, column = text.rpartition(".")
    if text in context.inputs:
        return _same_clock(name, context.inputs[text], context)
    home = context.table
    if table and table not in home.tables:
        for other in context.known:
            if table in other.tables:
                found = other.find(column)
                if found is None:
                    raise _unknown(name, column, other, context)
                return _same_clock(name, found, context)
        tables = [each for other in (home, *context.known) for each in other.tables]
        if home.members is not None:
            known, near = ", ".join(dict.fromkeys(tables)), nearest(table, tables)
            raise UNKNOWN_SYMBOL(table=table, known=known, near=near, place=context.spot(name))
        raise UNKNOWN_TABLE(table=table, near=nearest(table, tables), place=context.spot(name))
    found = home.find(column)
    if found is not None:
        return found
    for other in context.known:
        elsewhere = other.find(column)
        if elsewhere is not None and not table:
            raise _mix(name, elsewhere, context)
    raise _unknown(name, column, home, context)


def _same_clock(name: Name, column: ColumnInfo, context: Context) -> ColumnInfo:
    if column.clock != context.table.clock:
        raise _mix(name, column, context)
    return column


def _mix(name: Name, column: ColumnInfo, context: Context) -> QuantflowError:
    return CLOCK_MIX(
        name=name.value,
        theirs=column.clock,
        ours=context.table.clock,
        place=context.spot(name),
    )


def _unknown(name: Name, column: str, table: ColumnTable, context: Context) -> QuantflowError:
    place = context.spot(name)
    if column in table.families:
        return BARE_FAMILY(name=column, levels=table.families[column], place=place)
    family, _, level = column.rpartition("_")
    if family in table.families and level.isdigit():
        last = table.families[family] - 1
        return NO_LEVEL(name=column, family=family, last=last, place=place)
    if level_of(column) >= 0 and not table.families:
        return NO_LEVELS_HERE(op=repr(column), clock=table.clock, place=place)
    near = nearest(column, [*table.names(), *context.inputs, *context.parameters])
    names = ", ".join([*context.inputs, *context.parameters, *table.names()])
    return UNKNOWN_NAME(name=column, clock=table.clock, names=names, near=near, place=place)
