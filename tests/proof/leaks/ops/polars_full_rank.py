"""polars_full_rank(x, window): the Polars rule ranks among all rows.

    y[t] = rank(x[t]) / n

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "polars_full_rank(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="polars_full_rank(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x.rank() / x.len()


@op.kernel
def kernel(x, lo, hi, out, params):
    for t in range(lo, hi):
        out[t] = x[t]
