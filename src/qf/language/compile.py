"""Compile a formula text into a graph: the only way in for engines, commands and users.

1. parse: text to tree, within bounds (parse.py)
2. inline, resolve, fold: tree to tree (passes/)
3. check: tree to typed nodes, with units, warm-up and memory (check.py)
4. share: equal nodes become one (passes/share.py)
5. refuse a graph whose state would not fit, before anything is allocated
"""

from __future__ import annotations

from collections.abc import Mapping

from qf.errors import Place, diagnostic
from qf.language.check import check
from qf.language.columns import ColumnInfo, ColumnTable
from qf.language.context import Context, Value
from qf.language.graph import Graph, state_bytes
from qf.language.parse import parse
from qf.language.passes import ORDER
from qf.language.passes.share import share
from qf.language.source import Source
from qf.language.tree import write

MAX_STATE_BYTES = 64 << 20

TOO_MUCH_STATE = diagnostic(
    "QF137", "the formula needs {size:,} bytes of state; the limit is {limit:,}"
)
HIDES_COLUMN = diagnostic(
    "QF138", "the {what} {name!r} hides the column of the same name", hint="rename the {what}"
)


def compile_formula(
    text: str,
    *,
    table: ColumnTable,
    params: Mapping[str, Value] | None = None,
    inputs: Mapping[str, ColumnInfo] | None = None,
    known: tuple[ColumnTable, ...] = (),
    place: Place | None = None,
) -> Graph:
    """Return the graph of a formula on the clock of `table`.

    `params` are the numbers its names may stand for, `inputs` the columns its placeholders are
    bound to, `known` the other clocks' tables (for the error that names both clocks), `place`
    where the text's first character stands. Errors: QF1xx and QF4xx, with a caret in the text.
    """
    source = Source(text, place)
    context = Context(source, table, params or {}, inputs or {}, known)
    for what, names in (("parameter", context.parameters), ("input", context.inputs)):
        for name in names:
            if table.find(name) is not None and table.find(name) != context.inputs.get(name):
                raise HIDES_COLUMN(what=what, name=name, place=place)
    tree = parse(source)
    for run in ORDER:
        tree = run(tree, context)
    nodes, warnings = check(tree, context)
    nodes = share(nodes)
    ops = {n.name: context.functions[n.name] for n in nodes if n.column is None}
    size = state_bytes(nodes, ops)
    if size > MAX_STATE_BYTES:
        raise TOO_MUCH_STATE(size=size, limit=MAX_STATE_BYTES, place=source.spot((0, len(text))))
    return Graph(source, table.clock, nodes, ops, write(tree), warnings)
