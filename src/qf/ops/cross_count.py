"""cross_count(x): how many symbols of the universe have a value of x, the reading one included.

    n[t] = number of symbols i with x_i[t]

x is any expression of features; each symbol's own are read, as the reading symbol's row may know
them (docs/cross.md). Null rule: never null; 0 where nobody has a value. Unit: 1.
Source: definition.
"""

from qf.cross_section import number_of
from qf.op import define

op = define("cross_count(x)", unit="1", example="cross_count(price)")


@op.expand
def expand(members):
    return number_of(members)
