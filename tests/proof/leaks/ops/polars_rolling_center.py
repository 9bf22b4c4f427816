"""polars_rolling_center(x, window): the Polars rule centres its window.

    y[t] = mean(x[t-w/2 .. t+w/2])

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "polars_rolling_center(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="polars_rolling_center(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x.rolling_mean(window, center=True, min_samples=1)


@op.kernel
def kernel(x, lo, hi, out, params):
    for t in range(lo, hi):
        out[t] = x[t]
