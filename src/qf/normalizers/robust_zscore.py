"""robust_zscore(x, window): distance from the median of recent bars, in robust deviations.

    z[t] = (x[t] - m) / (1.4826 MAD),  MAD = median( abs(x[i] - m) ),  m the median,
    both of rows t-window+1 .. t

Null until `window` rows exist and while one of them is null. Where MAD is 0: 0 at the median,
null elsewhere. Unit: none. 1.4826 makes it a z-score for a normal distribution.
Source: Rousseeuw, Croux (1993), J. American Statistical Association 88(424), 1273-1283.
"""

import math
import statistics

from qf.missing import any_missing, finite, finite_or_null
from qf.op import MOMENT, define
from qf.sorting import middle_gap, slide
from qf.windows import per_window, whole

NORMAL = 1.4826  # 1 / quantile 0.75 of the standard normal distribution

op = define(
    "robust_zscore(x, window: 3..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: window + 1,
    ints=lambda window: 1,
    tolerance=MOMENT,
    unit="1",
    example="robust_zscore(x, 100)",
)


@op.definition
def definition(x, window):
    rows = x[-window:]
    if any_missing(rows):
        return math.nan
    middle = statistics.median(rows)
    spread = statistics.median([abs(value - middle) for value in rows])
    if spread == 0.0:
        return 0.0 if x[-1] == middle else math.nan
    return (x[-1] - middle) / (NORMAL * spread)


@op.polars
def polars(x, window):
    import polars as pl

    middle = x.rolling_median(window)
    spread = per_window((x - x.median()).abs().median(), window)
    found = finite_or_null((x - middle) / (NORMAL * spread))
    found = pl.when(x == middle).then(0.0 * x).otherwise(found)
    return whole(found, window, x)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    window = int(params[0])
    count = ints[0]
    upper = window // 2
    lower = (window - 1) // 2
    for t in range(lo, hi):
        count = slide(state, count, x[t - window], x[t])
        if count < window:
            out[t] = math.nan
            continue
        middle = 0.5 * (state[lower] + state[upper])
        spread = middle_gap(state, count, middle)
        gap = x[t] - middle
        out[t] = 0.0 if gap == 0.0 else finite(gap / (NORMAL * spread))
    ints[0] = count
