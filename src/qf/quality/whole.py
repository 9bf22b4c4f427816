"""whole(x): the value as a whole number, rounded towards zero.

    y[t] = trunc(x[t])

Null rule: null in, NULL_INT out. Unit: the unit of x.
Source: definition.
"""

from qf.op import define
from qf.schema import NULL_INT

op = define("whole(x) -> out: int", example="whole(price)")
op.polars_missing("it feeds labels, which have no Polars engine")


@op.definition
def definition(x):
    return int(x[-1]) if x[-1] == x[-1] else NULL_INT


@op.kernel
def kernel(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = int(x[t]) if x[t] == x[t] else NULL_INT
