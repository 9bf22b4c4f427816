"""centred_window(x, window): a mean centred on its row.

    y[t] = mean(x[t-w .. t+w])

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "centred_window(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="centred_window(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, out, params):
    window = int(params[0])
    for t in range(lo, hi):
        total = 0.0
        for i in range(t - window, t + window + 1):
            total += x[min(i, hi - 1)]
        out[t] = total / (2 * window + 1)
