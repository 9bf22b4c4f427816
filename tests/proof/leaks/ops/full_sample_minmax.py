"""full_sample_minmax(x, window): scaled between the smallest and the largest value of the block.

    y[t] = (x[t] - min(x)) / (max(x) - min(x))

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "full_sample_minmax(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="full_sample_minmax(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, out, params):
    low, high = x[lo], x[lo]
    for t in range(lo, hi):
        low, high = min(low, x[t]), max(high, x[t])
    for t in range(lo, hi):
        out[t] = (x[t] - low) / (high - low) if high > low else 0.0
