"""rolling_std(x, window): sample standard deviation of the last `window` rows.

    s[t] = sqrt( sum((x[i] - mean)^2) / (window - 1) ),  i = t-window+1 .. t

Null until `window` rows exist and while a row in the window is null. Unit: the unit of x.
A window of equal values has exactly 0.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

import math

from qf.missing import any_missing, finite, finite_or_null
from qf.moments import SHRUNK, squares_afresh
from qf.op import MOMENT, define
from qf.windows import whole, window_moments

op = define(
    "rolling_std(x, window: 2..100000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    slots=lambda window: 4,
    ints=lambda window: 2,
    tolerance=MOMENT,
    unit="x",
    example="rolling_std(mid, 20)",
)


@op.definition
def definition(x, window):
    last = x[-window:]
    if any_missing(last):
        return math.nan
    gaps = [value - x[-1] for value in last]
    mean = math.fsum(gaps) / window
    return math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / (window - 1))


@op.polars
def polars(x, window):
    import polars as pl

    _, square = window_moments(x, window)
    quiet = x.rolling_max(window) == x.rolling_min(window)
    found = pl.when(quiet).then(0.0).otherwise((square / (window - 1)).sqrt())
    return whole(finite_or_null(found), window, x)


@op.kernel
def kernel(x, lo, hi, row, out, params, state, ints):
    window = int(params[0])
    share = 1.0 / window
    reference, total, squares, peak = state[0], state[1], state[2], state[3]
    seen, run = ints[0], ints[1]
    phase = row % window
    for t in range(lo, hi):
        gap = x[t] - reference
        old = x[t - window] - reference
        run = run + 1 if x[t] == x[t - 1] else 1
        if gap == gap:
            total += gap
            squares += gap * gap
            seen += 1
        if old == old:
            total -= old
            squares -= old * old
            seen -= 1
        if run >= window:  # equal values: exactly no spread
            reference, total, squares, peak = x[t], 0.0, 0.0, 0.0
        peak = squares if squares > peak else peak
        spread = squares - total * total * share
        if phase == 0 or (spread < SHRUNK * peak and seen == window):
            squares_afresh(x, t, window, state)
            reference, total, squares, peak = state[0], state[1], state[2], state[3]
            spread = squares - total * total * share if run < window else 0.0
        phase = phase + 1 if phase + 1 < window else 0
        spread = spread if spread > 0.0 else 0.0
        out[t] = finite(math.sqrt(spread / (window - 1))) if seen == window else math.nan
    state[0], state[1], state[2], state[3] = reference, total, squares, peak
    ints[0], ints[1] = seen, run
