"""winsorised(x, window): clipped to twice the mean distance in the whole block.

    y[t] = clip(x[t], mean(x) - 2d, mean(x) + 2d)

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "winsorised(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="winsorised(price, 5)",
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
    mean, away = total / max(1, hi - lo), 0.0
    for t in range(lo, hi):
        away += abs(x[t] - mean)
    away = 2.0 * away / max(1, hi - lo)
    for t in range(lo, hi):
        out[t] = min(max(x[t], mean - away), mean + away)
