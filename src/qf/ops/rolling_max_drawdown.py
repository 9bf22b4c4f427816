"""rolling_max_drawdown(x, window): the largest fall from a high to a later low, as a fraction.

    d[t] = max over i of 1 - x[i] / max(x[t-window+1 .. i]),  i = t-window+1 .. t

0 where x never fell below an earlier value. Null until `window` rows exist, while a row in the
window is null or not above 0. Unit: none. A row costs a window.
Source: Magdon-Ismail, Atiya (2004), Risk 17(10), 99-102 (the definition).
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define
from qf.windows import per_window, whole

op = define(
    "rolling_max_drawdown(x, window: 2..10000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 1,
    tolerance=SUM,
    unit="1",
    example="rolling_max_drawdown(price, 200)",
)


@op.definition
def definition(x, window):
    rows = x[-window:]
    if any_missing(rows) or min(rows) <= 0.0:
        return math.nan
    return max(1.0 - value / max(rows[: i + 1]) for i, value in enumerate(rows))


@op.polars
def polars(x, window):
    import polars as pl

    worst = per_window((1.0 - x / x.cum_max()).max(), window)
    return whole(worst, window, pl.when(x > 0.0).then(x))


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    window = int(params[0])
    known = ints[0]
    for t in range(lo, hi):
        known = known + 1 if x[t] > 0.0 else 0
        out[t] = math.nan
        if known < window:
            continue
        high, worst = 0.0, 0.0
        for i in range(t - window + 1, t + 1):
            high = x[i] if x[i] > high else high
            fall = 1.0 - x[i] / high
            worst = fall if fall > worst else worst
        out[t] = worst
    ints[0] = known
