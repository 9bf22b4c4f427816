"""full_sample_rank(x, window): the share of all values of the block below this one.

    y[t] = share of x below x[t]

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "full_sample_rank(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="full_sample_rank(price, 5)",
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
        below = 0.0
        for i in range(lo, hi):
            below += 1.0 if x[i] < x[t] else 0.0
        out[t] = below / (hi - lo)
