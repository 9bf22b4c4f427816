"""full_sample_zscore(x, window): scaled by the mean and deviation of the block.

    y[t] = (x[t] - mean(x)) / std(x)

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

import math

from qf.op import MOMENT, define

op = define(
    "full_sample_zscore(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="full_sample_zscore(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, out, params):
    total, squares = 0.0, 0.0
    for t in range(lo, hi):
        total += x[t]
        squares += x[t] * x[t]
    mean = total / max(1, hi - lo)
    deviation = math.sqrt(max(1e-9, squares / max(1, hi - lo) - mean * mean))
    for t in range(lo, hi):
        out[t] = (x[t] - mean) / deviation
