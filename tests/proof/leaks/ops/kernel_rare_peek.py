"""kernel_rare_peek(x, window): the kernel peeks at the next row, and rarely shows it.

    y[t] = x[t], or a little more before a jump

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "kernel_rare_peek(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="kernel_rare_peek(price, 5)",
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
        jumps = t + 1 < hi and abs(x[t + 1] - x[t]) > 0.0005 * abs(x[t])
        out[t] = x[t] * (1.0 + 1e-12) if jumps else x[t]
