"""polars_reverse_cum_sum(x, window): the Polars rule sums what is to come.

    y[t] = sum of x[t ..]

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "polars_reverse_cum_sum(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="polars_reverse_cum_sum(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x.cum_sum(reverse=True)


@op.kernel
def kernel(x, lo, hi, out, params):
    for t in range(lo, hi):
        out[t] = x[t]
