"""cross_rank(x): mid-rank of x among the symbols of the universe, in (0, 1).

    r[t] = (number of i with x_i[t] < x[t]  +  number of i with x_i[t] = x[t] / 2) / n

i runs over the n symbols with a value, the reading one included: alone it ranks 0.5, the highest
of n ranks 1 - 1/(2n). Values within 1e-9 relative are equal. x is any expression of features; each
symbol's own are read, as the reading symbol's row may know them (docs/cross.md). Null where the
reading symbol has no value. Unit: 1.
Source: Conover (1999), Practical Nonparametric Statistics, 3rd ed., 5.1 (average ranks).
"""

from qf.cross_section import number_of
from qf.op import define
from qf.ranks import TIE

op = define("cross_rank(x)", unit="1", example="cross_rank(price)")


@op.expand
def expand(members):
    steps = [
        f"where(is_null({name}), 0, where(abs({name} - own) <= {TIE!r} * abs(own), 0.5,"
        f" where({name} < own, 1, 0)))"
        for name in members
        if name != "own"
    ]
    return f"({' + '.join(['0.5 + 0 * own', *steps])}) / ({number_of(members)})"
