"""rolling_tail_mean(x, window, q): mean of the lowest share q of the last `window` rows.

    m[t] = (s[0] + … + s[k-1] + (h - k) s[k]) / h,  h = window q,  k = floor h

s: the window in ascending order, from 0; the row that the share cuts counts by its part. Of
returns and turned in sign this is the expected shortfall. Null until `window` rows exist and while
a row in the window is null. Unit: the unit of x. A row costs a window.
Source: Acerbi, Tasche (2002), Journal of Banking and Finance 26(7), 1487-1503.
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define
from qf.sorting import slide
from qf.windows import per_window, whole

op = define(
    "rolling_tail_mean(x, window: 1..10000, q: 0.0001..1.0)",
    warmup=lambda window, q: window - 1,
    lookback=lambda window, q: window,
    slots=lambda window, q: window + 1,
    ints=lambda window, q: 1,
    tolerance=SUM,
    unit="x",
    example="rolling_tail_mean(log_return(price), 200, 0.05)",
)


@op.definition
def definition(x, window, q):
    rows = sorted(x[-window:]) if not any_missing(x[-window:]) else []
    if not rows:
        return math.nan
    share = window * q
    cut = min(math.floor(share), window - 1)
    return (math.fsum(rows[:cut]) + (share - cut) * rows[cut]) / share


@op.polars
def polars(x, window, q):
    share = window * q
    cut = min(math.floor(share), window - 1)
    lowest = x.sort()
    total = lowest.head(cut).sum() + (share - cut) * lowest.slice(cut, 1).sum()
    return whole(per_window(total / share, window), window, x)


@op.kernel
def kernel(x, lo, hi, out, params, state, ints):
    window = int(params[0])
    share = window * params[1]
    cut = min(int(share), window - 1)
    count = ints[0]
    for t in range(lo, hi):
        count = slide(state, count, x[t - window], x[t])
        out[t] = math.nan
        if count < window:
            continue
        total = 0.0
        for k in range(cut):
            total += state[k]
        value = (total + (share - cut) * state[cut]) / share
        out[t] = value if value - value == 0.0 else math.nan
    ints[0] = count
