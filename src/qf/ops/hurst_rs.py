"""hurst_rs(x, window): Hurst exponent by rescaled range, its small-sample bias taken off.

    H[t] = 0.5 + slope of ln(mean R/S of m rows) - ln(E[R/S of m rows]) against ln m

m = 8, 16, … <= window; E is the mean for independent normal values. 0.5 is no memory, above it
moves persist, below it they turn.

x are increments, such as log returns. Null until `window` rows exist, while a row in the window is
null, and where no stretch of some length moves. Unit: none. A row costs two windows.
Source: Anis, Lloyd (1976), Biometrika 63(1), 111-116.
"""

from qf.op import MOMENT, define
from qf.rescaled_range import hurst_of, slide_hurst, slots_of

op = define(
    "hurst_rs(x, window: 32..4096)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=slots_of,
    ints=lambda window: 3,
    tolerance=MOMENT,
    unit="1",
    example="hurst_rs(log_return(price), 256)",
)
op.polars_missing("stretches of many lengths inside each window; the definition is its twin")


@op.definition
def definition(x, window):
    return hurst_of(x[-window:], 1)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_hurst(x, lo, hi, int(params[0]), 1, out, state, ints)
