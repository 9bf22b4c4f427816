"""none(x): the value as it is.

    y[t] = x[t]

Null where x is. Unit: the unit of x.
Source: definition.
"""

from qf.op import define

op = define("none(x)", unit="x", example="none(x)")


@op.definition
def definition(x):
    return x[-1]


@op.polars
def polars(x):
    return x


@op.kernel
def kernel(x, lo, hi, out):
    for t in range(lo, hi):
        out[t] = x[t]
