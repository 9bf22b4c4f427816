"""warmup_from_later(x, window): the rows before the first full window get the first window's value.

    y[t] = mean(x[t+1 .. t+w]) while the window fills

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "warmup_from_later(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="warmup_from_later(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, row, out, params):
    window = int(params[0])
    for t in range(lo, hi):
        first = t - (row + t - lo) % 64
        end = t if t - first >= window else min(first + window, hi - 1)
        total = 0.0
        for i in range(end - window + 1, end + 1):
            total += x[i]
        out[t] = total / window
