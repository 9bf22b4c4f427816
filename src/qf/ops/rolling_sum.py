"""rolling_sum(x, window): sum of the last `window` rows.

    s[t] = x[t-window+1] + … + x[t]

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
The sum of the end of one block of `window` rows and of the start of the next, blocks counted from
the history's start: it neither drifts nor depends on where the stream was cut.
Source: van Herk (1992), Pattern Recognition Letters 13(7), 517-521 (there for extremes).
"""

import math

from qf.missing import finite_or_null
from qf.op import SUM, define
from qf.sums import TAILS, slide_sum
from qf.windows import window_sum

op = define(
    "rolling_sum(x, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: window + 1 + TAILS,
    ints=lambda window: 1,
    tolerance=SUM,
    unit="x",
    window_form="window_sum",
    example="rolling_sum(size, 20)",
)


@op.definition
def definition(x, window):
    return math.fsum(x[-window:])


@op.polars
def polars(x, window):
    return finite_or_null(window_sum(x, window))


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_sum(x, lo, hi, int(params[0]), False, out, state, ints)
