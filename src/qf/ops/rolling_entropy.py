"""rolling_entropy(x, window, bins): how evenly the last `window` values fill their range, in bits.

    H[t] = -sum over bins p ln(p) / ln(2),  p = share of the rows in the bin

The bins are equally wide between the window's lowest and highest value; `bins` = 2 tells two
symbols apart. 0 where all are equal, log2(bins) at most. Null until `window` rows exist and while
a row in the window is null. Unit: bits. A row costs a window.
Source: Shannon (1948), Bell System Technical Journal 27, 379-423 (the plug-in form).
"""

import math

from qf.missing import any_missing, finite_or_null
from qf.op import SUM, define
from qf.windows import per_window, whole

WIDTH = 1e-300  # a narrower range counts as equal values: its bins cannot be told apart

op = define(
    "rolling_entropy(x, window: 2..10000, bins: 2..64 = 10)",
    warmup=lambda window, bins: window - 1,
    lookback=lambda window, bins: window,
    ints=lambda window, bins: bins + 1,
    tolerance=SUM,
    unit="1",
    window_form="window_entropy",
    example="rolling_entropy(size, 100)",
)


@op.definition
def definition(x, window, bins):
    rows = x[-window:]
    if any_missing(rows):
        return math.nan
    low, width = min(rows), max(rows) - min(rows)
    per_unit = bins / width if width > WIDTH else 0.0
    places = [min(int((value - low) * per_unit), bins - 1) for value in rows]
    shares = [places.count(place) / window for place in set(places)]
    return abs(math.fsum(share * math.log(share) for share in shares)) / math.log(2.0)


@op.polars
def polars(x, window, bins):
    import polars as pl

    low, high = x.min(), x.max()
    per_unit = pl.when(high - low > WIDTH).then(bins / (high - low)).otherwise(0.0)
    place = ((x - low) * per_unit).floor().clip(0, bins - 1)
    count = pl.lit(0.0)
    for one in range(bins):
        inside = (place == one).sum().cast(float)
        count = count + pl.when(inside > 0.0).then(inside * (inside / pl.len()).log()).otherwise(
            0.0
        )
    found = per_window((count / pl.len()).abs() / math.log(2.0), window)
    return whole(finite_or_null(found), window, x)


@op.kernel
def kernel(x, lo, hi, out, params, ints):
    window, bins = int(params[0]), int(params[1])
    known = ints[bins]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] else 0
        out[t] = math.nan
        if known < window:
            continue
        first = t - window + 1
        low, high = x[first], x[first]
        for i in range(first, t + 1):
            low = x[i] if x[i] < low else low
            high = x[i] if x[i] > high else high
        per_unit = bins / (high - low) if high - low > WIDTH else 0.0
        for k in range(bins):
            ints[k] = 0
        for i in range(first, t + 1):
            ints[min(int((x[i] - low) * per_unit), bins - 1)] += 1
        total = 0.0
        for k in range(bins):
            if ints[k] > 0:
                share = ints[k] / window
                total += share * math.log(share)
        out[t] = abs(total) / math.log(2.0)
    ints[bins] = known
