"""duplicates_keep_last(x, window): of equal rows only the last keeps its value.

    y[t] = x[t] unless x[t + 1] == x[t]

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "duplicates_keep_last(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="duplicates_keep_last(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, out, params):
    for t in range(lo, hi):
        out[t] = 0.0 if t + 1 < hi and x[t + 1] == x[t] else x[t]
