"""either(x, y): the bits of both.

    z[t] = x[t] | y[t]

Null rule: missing counts as no bit. Unit: bits.
Source: definition.
"""

from qf.op import define
from qf.schema import NULL_INT

op = define("either(x: int, y: int) -> out: int", unit="bits", example="either(quality, quality)")
op.polars_missing("quality is joined outside the expression language")


@op.definition
def definition(x, y):
    return (0 if x[-1] == NULL_INT else x[-1]) | (0 if y[-1] == NULL_INT else y[-1])


@op.kernel
def kernel(x, y, lo, hi, out):
    for t in range(lo, hi):
        one = 0 if x[t] == NULL_INT else x[t]
        out[t] = one | (0 if y[t] == NULL_INT else y[t])
