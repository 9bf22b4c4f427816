"""polars_shift_back(x, window): the Polars rule takes the next row.

    y[t] = x[t + 1]

Null rule: none. Unit: the unit of x. Source: the test suite.
"""

from qf.op import MOMENT, define

op = define(
    "polars_shift_back(x, window: 2..1000)",
    warmup=lambda window: 0,
    lookback=lambda window: 2 * window + 64,
    tolerance=MOMENT,
    example="polars_shift_back(price, 5)",
)


@op.definition
def definition(x, window):
    return x[-1]


@op.polars
def polars(x, window):
    return x.shift(-1)


@op.kernel
def kernel(x, lo, hi, out, params):
    for t in range(lo, hi):
        out[t] = x[t]
