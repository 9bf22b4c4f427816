"""gap_filled_from_next(x, window): a quiet row takes the value of the next one that moved.

    y[t] = the next x that is not x[t-1]

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "gap_filled_from_next(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="gap_filled_from_next(price, 5)",
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
        i = t
        while i + 1 < hi and x[i] == x[t - 1]:
            i += 1
        out[t] = x[i]
