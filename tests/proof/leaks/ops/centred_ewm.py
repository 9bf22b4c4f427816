"""centred_ewm(x, window): an exponential mean run forwards and then backwards over the block.

    y = backward(forward(x))

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "centred_ewm(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="centred_ewm(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, out, params):
    smooth = x[lo]
    for t in range(lo, hi):
        smooth += 0.1 * (x[t] - smooth)
        out[t] = smooth
    for k in range(hi - lo):
        t = hi - 1 - k
        smooth += 0.1 * (out[t] - smooth)
        out[t] = smooth
