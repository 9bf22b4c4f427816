"""total_of_the_day(x, window): a share of the total of the whole block, as of a day's volume.

    y[t] = x[t] / sum(x)

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "total_of_the_day(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="total_of_the_day(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, out, params):
    total = 0.0
    for t in range(lo, hi):
        total += x[t]
    for t in range(lo, hi):
        out[t] = x[t] / total
