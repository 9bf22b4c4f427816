"""rolling_sum(x, window): sum of the last `window` rows.

    s[t] = x[t-window+1] + … + x[t]

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
The sum slides with its rounding kept beside it, and starts afresh at every row whose number
divides by the window: it neither drifts nor depends on where the stream was cut.
Source: Neumaier (1974), Z. Angew. Math. Mech. 54(1), 39-51.
"""

import math

from qf.missing import finite_or_null
from qf.moments import slide_sum
from qf.op import SUM, define
from qf.windows import window_sum

op = define(
    "rolling_sum(x, window: 1..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 2,
    ints=lambda window: 2,
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
def kernel(x, lo, hi, row, out, params, state, ints):
    slide_sum(x, lo, hi, row, int(params[0]), False, out, state, ints)
