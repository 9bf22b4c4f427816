"""rolling_zscore(x, window, exclude_current): standard deviations from the mean of recent bars.

    z[t] = (x[t] - mean) / s,  mean and sample deviation s of rows t-window+1 .. t
                               (rows t-window .. t-1 with exclude_current)

Null until the rows exist and while one of them is null; 0 where s is 0. Unit: none.
With the current row included abs(z) <= (window - 1) / sqrt(window).
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing, finite_or_null
from qf.moments import ZSCORE, slide_squares
from qf.op import MOMENT, define
from qf.windows import whole, window_moments


def _rows_before(window: int, exclude_current: str) -> int:
    return window if exclude_current == "true" else window - 1


op = define(
    "rolling_zscore(x, window: 2..100000, exclude_current: false|true = false)",
    warmup=_rows_before,
    lookback=lambda window, exclude_current: window + 1,
    slots=lambda window, exclude_current: 4,
    ints=lambda window, exclude_current: 2,
    tolerance=MOMENT,
    unit="1",
    example="rolling_zscore(x, 100)",
)


@op.definition
def definition(x, window, exclude_current):
    rows = x[-window - 1 : -1] if exclude_current == "true" else x[-window:]
    if any_missing(rows) or x[-1] != x[-1]:
        return math.nan
    if min(rows) == max(rows):
        return 0.0
    gaps = [value - x[-1] for value in rows]
    mean = math.fsum(gaps) / window
    spread = math.fsum((gap - mean) ** 2 for gap in gaps) / (window - 1)
    return -mean / math.sqrt(spread) if spread > 0.0 else 0.0


@op.polars
def polars(x, window, exclude_current):
    import polars as pl

    shift = 1 if exclude_current == "true" else 0
    gap, square = window_moments(x, window)
    gap = gap.shift(shift) + (x - x.shift(shift))
    quiet = (x.rolling_max(window) == x.rolling_min(window)).shift(shift)
    found = (
        pl.when(quiet).then(0.0 * x).otherwise(gap / (square.shift(shift) / (window - 1)).sqrt())
    )
    return whole(finite_or_null(found), window + shift, x)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    # the second parameter is 1 where the window ends one row before the row itself
    slide_squares(x, lo, hi, int(params[0]), int(params[1]), ZSCORE, out, state, ints)
