"""hurst_rs_plain(x, window): Hurst exponent by rescaled range, uncorrected.

    H[t] = slope of ln(mean R/S over stretches of m rows) against ln m,  m = 8, 16, … <= window

Biased upwards in short windows: independent values give about 0.6, which is no trend; `hurst_rs`
takes that off.

x are increments, such as log returns. Null until `window` rows exist, while a row in the window is
null, and where no stretch of some length moves. Unit: none. A row costs two windows.
Source: Hurst (1951), Transactions ASCE 116, 770-808; Mandelbrot, Wallis (1969), WRR 5(5).
"""

from qf.op import MOMENT, define
from qf.rescaled_range import hurst_of, slide_hurst, slots_of

op = define(
    "hurst_rs_plain(x, window: 32..4096)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=slots_of,
    ints=lambda window: 3,
    tolerance=MOMENT,
    unit="1",
    example="hurst_rs_plain(log_return(price), 256)",
)
op.polars_missing("stretches of many lengths inside each window; the definition is its twin")


@op.definition
def definition(x, window):
    return hurst_of(x[-window:], 0)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_hurst(x, lo, hi, int(params[0]), 0, out, state, ints)
