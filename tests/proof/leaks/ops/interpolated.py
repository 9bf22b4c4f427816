"""interpolated(x, window): rows between two anchors lie on a straight line to the later one.

    y[t] = line from anchor to next anchor

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "interpolated(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="interpolated(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x


@op.kernel
def kernel(x, lo, hi, row, out, params):
    step = 8
    for t in range(lo, hi):
        first = t - (row + t - lo) % step
        last = min(first + step, hi - 1)
        share = (t - first) / max(1, last - first)
        out[t] = x[t] if last <= t else (1.0 - share) * x[t] + share * x[last]
