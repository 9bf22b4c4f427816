"""cross_zscore(x): how many deviations x is from the mean over the symbols of the universe.

    z[t] = (x[t] - mean(x_i[t])) / std(x_i[t]),  std with n - 1

i runs over the n symbols with a value, the reading one included, so abs(z) <= (n - 1) / sqrt(n).
0 where all values are equal. x is any expression of features; each symbol's own are read, as the
reading symbol's row may know them (docs/cross.md). Null where the reading symbol has no value, or
nobody else has. Unit: 1. Source: definition.
"""

from qf.cross_section import number_of
from qf.op import define

op = define("cross_zscore(x)", unit="1", example="cross_zscore(price)")


@op.expand
def expand(members):
    # From the reading symbol's value: nothing is lost where all values are large and close.
    apart = [f"coalesce({name} - own, 0)" for name in members if name != "own"]
    n = f"({number_of(members)})"
    total = f"({' + '.join(['0 * own', *apart])})"
    squares = f"({' + '.join(['0 * own', *(f'{each} * {each}' for each in apart)])})"
    variance = f"(({squares} - {total} * {total} / {n}) / where({n} > 1, {n} - 1, null))"
    return f"where({variance} > 0, 0 - {total} / {n} / sqrt({variance}), 0)"
