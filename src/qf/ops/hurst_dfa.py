"""hurst_dfa(x, window): Hurst exponent by detrended fluctuation, its small-box bias taken off.

    H[t] = slope of ln F(m) against ln m,  m = 8, 16, … <= window / 4
    F(m)^2 = mean square of the path about its line in boxes of m rows, times 15 m^2 / (m^2 - 4)

0.5 is no memory, above it moves persist, below it they turn. A slow change of the mean, which
rescaled range takes for persistence, moves it little; it scatters less in long windows.

x are increments, such as log returns. Null until `window` rows exist, while a row in the window is
null, and where no box of some length moves. Unit: none. A row costs a window.
Source: Peng et al. (1994), Physical Review E 49(2), 1685-1689; Kantelhardt et al. (2001), Physica A
295, 441-454 (the bias).
"""

from qf.fluctuation import detrended_of, slide_detrended, words_of
from qf.op import MOMENT, define

op = define(
    "hurst_dfa(x, window: 64..4096)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=words_of,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="1",
    example="hurst_dfa(log_return(price), 256)",
)
op.polars_missing("boxes of many lengths inside each window; the definition is its twin")


@op.definition
def definition(x, window):
    return detrended_of(x[-window:])


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    slide_detrended(x, lo, hi, int(params[0]), out, state, ints)
