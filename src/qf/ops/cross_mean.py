"""cross_mean(x): mean of x over the symbols of the universe that have a value, itself included.

    m[t] = sum(x_i[t]) / n,  i over the n symbols with a value

x is any expression of features; each symbol's own are read, as the reading symbol's row may know
them (docs/cross.md). Null where nobody has a value. Unit: the unit of x. Source: definition.
"""

from qf.cross_section import number_of, total
from qf.op import define

op = define("cross_mean(x)", unit="x", example="cross_mean(price)")


@op.expand
def expand(members):
    return f"({total(members)}) / ({number_of(members)})"
