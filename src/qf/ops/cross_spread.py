"""cross_spread(x): x less its mean over the other symbols of the universe.

    d[t] = x[t] - sum(x_i[t]) / n,  i over the n other symbols with a value

x is any expression of features; each symbol's own are read, as the reading symbol's row may know
them (docs/cross.md). Null where the reading symbol has no value, or nobody else has. Unit: the
unit of x. Source: definition.
"""

from qf.cross_section import number_of, total
from qf.op import define

op = define("cross_spread(x)", unit="x", example="cross_spread(price)")


@op.expand
def expand(members):
    others = [name for name in members if name != "own"]
    return f"own - ({total(others)}) / ({number_of(others)})" if others else "own - own / 0"
