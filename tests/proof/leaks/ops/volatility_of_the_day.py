"""volatility_of_the_day(x, window): every row has the deviation of all returns of the block.

    y[t] = std of x[i] / x[i-1] - 1 over the block

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

import math

from qf.op import MOMENT, define

op = define(
    "volatility_of_the_day(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="volatility_of_the_day(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, out, params):
    squares = 0.0
    for t in range(lo + 1, hi):
        squares += (x[t] / x[t - 1] - 1.0) ** 2
    for t in range(lo, hi):
        out[t] = math.sqrt(squares / max(1, hi - lo - 1))
