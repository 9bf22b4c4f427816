"""vpin(size, buy_volume, sell_volume, window, buckets): flow toxicity in volume time, in [0, 1].

    V[t] = sum |B_k - S_k| / sum V_k,  k = the last `buckets` full buckets
    V_k = (sum of size over the last `window` rows) / buckets, measured when k = 0, buckets, …

B_k and S_k are the volume bought and sold in bucket k. Volume is cut into buckets exactly: a row
that fills one is split, its sides in proportion, and may fill several. The first `window` rows give
the first bucket size and are then poured in, so there is a value from row window - 1 on. A bucket
keeps its size until `buckets` of them are full. With buckets = 50 and a window of a day this is the
paper's calibration. Unknown sides count as volume only. On bars give the bar's sums, or for bulk
classification the volume and its shares by `bulk_buy_share`.
Null until then, and where an input is or there is no volume: such a row is not poured. Unit: none.
Source: Easley, Lopez de Prado and O'Hara (2012), Review of Financial Studies 25(5), 1457-1493.
"""

import math

from qf.op import MOMENT, define
from qf.volume_buckets import FIRST, Buckets, pour_rows

op = define(
    "vpin(size, buy_volume, sell_volume, window: 10..100000, buckets: 2..1000 = 50)",
    warmup=lambda window, buckets: window - 1,
    lookback=lambda window, buckets: window,
    memory=lambda window, buckets: 0,
    slots=lambda window, buckets: FIRST + 2 * buckets,
    ints=lambda window, buckets: 3,
    tolerance=MOMENT,
    unit="1",
    example="vpin(size, buy_volume, sell_volume, 2000, 50)",
)
op.polars_missing("a bucket may close inside a row: a state machine; the definition is its twin")


@op.definition
def definition(size, buy_volume, sell_volume, window, buckets):
    line = Buckets(buckets)
    rows = list(zip(size, buy_volume, sell_volume, strict=True))
    rows = [row if all(v == v for v in row) and row[0] > 0.0 else None for row in rows]
    for t, row in enumerate(rows):
        last = rows[max(0, t - window + 1) : t + 1]
        if t >= window - 1 and line.per_bucket == 0.0:
            line.begin(last)
        elif row is not None:
            line.pour(row, last)
    return math.nan if rows[-1] is None else line.toxicity()


@op.kernel
def kernel(size, buy_volume, sell_volume, lo, hi, row, out, params, state, ints):
    window, buckets = int(params[0]), int(params[1])
    pour_rows(size, buy_volume, sell_volume, lo, hi, row, window, buckets, out, state, ints)
