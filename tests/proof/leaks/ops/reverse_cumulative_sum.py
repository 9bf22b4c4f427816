"""reverse_cumulative_sum(x, window): the sum of what is still to come in the block.

    y[t] = sum of x[t ..]

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "reverse_cumulative_sum(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="reverse_cumulative_sum(price, 5)",
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
    for k in range(hi - lo):
        t = hi - 1 - k
        total += x[t]
        out[t] = total
