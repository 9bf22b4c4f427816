"""Write a regime table out: the name of a table becomes the steps with its edges.

classify(vpin, "vpin_raw")  ->  step_value(vpin, edge_1=0.3, edge_2=0.5, edge_3=0.7, …)
"""

from __future__ import annotations

from qf.errors import diagnostic, nearest
from qf.language.arguments import Bound
from qf.language.context import Context
from qf.language.parse import parse
from qf.language.source import Source
from qf.language.tree import Name, Text, Tree, transform, write
from qf.op import Op
from qf.regime_table import PARAMETER, shipped

NO_REGIME = diagnostic(
    "QF142",
    "{op}: there is no regime table {given}",
    hint="name one in quotes: {known}; a project's own are files in .definitions/regimes",
)


def takes_regime(op: Op) -> bool:
    """Say whether a formula names a regime table where it calls the op."""
    return any(parameter.name == PARAMETER for parameter in op.signature.parameters)


def by_regime(bound: Bound, context: Context) -> Tree:
    """Return what the op's expand rule writes of the table that the call names. Errors: QF142."""
    given = bound.parameters[PARAMETER]
    tables = context.table.regimes if context.table.regimes is not None else shipped()
    name = given.value if isinstance(given, Text) else ""
    if name not in tables:
        raise NO_REGIME(
            op=bound.op.name,
            given=repr(name) if name else write(given),
            known=", ".join(sorted(tables)),
            near=nearest(name, tables),
            place=context.spot(given),
        )
    written = parse(Source(bound.op.rules["expand"](tables[name])), bounded=False)

    def substitute(node: Tree) -> Tree:
        return bound.inputs.get(node.value, node) if isinstance(node, Name) else node

    return transform(written, substitute)
