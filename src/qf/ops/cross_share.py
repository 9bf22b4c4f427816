"""cross_share(x): x over its sum over the symbols of the universe: dominance.

    s[t] = x[t] / sum(x_i[t]),  i over the symbols with a value, itself included

Of a volume it is the symbol's share of what was traded. x is any expression of features; each
symbol's own are read, as the reading symbol's row may know them (docs/cross.md). Null where the
reading symbol has no value and where the sum is 0. Unit: 1. Source: definition.
"""

from qf.cross_section import total
from qf.op import define

op = define("cross_share(x)", unit="1", example="cross_share(price)")


@op.expand
def expand(members):
    return f"own / ({total(members)})"
