"""rolling_zscore(x, window, exclude_current): standard deviations from the mean of recent bars.

    z[t] = (x[t] - mean) / s,  mean and sample deviation s of rows t-window+1 .. t
                               (rows t-window .. t-1 with exclude_current)

Null until the rows exist and while one of them is null; 0 where s is 0. Unit: none.
With the current row included abs(z) <= (window - 1) / sqrt(window).
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing, finite, finite_or_null
from qf.moments import SHRUNK, squares_afresh
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
def kernel(x, lo, hi, row, out, params, state, ints):
    window = int(params[0])
    shift = int(params[1])  # the window ends `shift` rows before the row itself
    share = 1.0 / window
    reference, total, squares, peak = state[0], state[1], state[2], state[3]
    seen, run = ints[0], ints[1]
    phase = (row - shift) % window
    for t in range(lo, hi):
        end = t - shift
        gap = x[end] - reference
        old = x[end - window] - reference
        run = run + 1 if x[end] == x[end - 1] else 1
        if gap == gap:
            total += gap
            squares += gap * gap
            seen += 1
        if old == old:
            total -= old
            squares -= old * old
            seen -= 1
        if run >= window:  # equal values: exactly no spread
            reference, total, squares, peak = x[end], 0.0, 0.0, 0.0
        peak = squares if squares > peak else peak
        spread = squares - total * total * share
        if phase == 0 or (spread < SHRUNK * peak and seen == window):
            squares_afresh(x, end, window, state)
            reference, total, squares, peak = state[0], state[1], state[2], state[3]
            spread = squares - total * total * share if run < window else 0.0
        phase = phase + 1 if phase + 1 < window else 0
        if seen < window or x[t] != x[t]:
            out[t] = math.nan
        elif spread > 0.0:
            gap = (x[t] - reference) - total * share
            out[t] = finite(gap / math.sqrt(spread / (window - 1)))
        else:
            out[t] = 0.0
    state[0], state[1], state[2], state[3] = reference, total, squares, peak
    ints[0], ints[1] = seen, run
