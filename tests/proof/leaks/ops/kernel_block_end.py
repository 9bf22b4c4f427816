"""kernel_block_end(x, window): the kernel reads the last row of the block.

    y[t] = x[t] - x[hi - 1]

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "kernel_block_end(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="kernel_block_end(price, 5)",
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
        out[t] = x[t] - x[hi - 1]
