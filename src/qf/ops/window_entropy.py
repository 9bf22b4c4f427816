"""window_entropy(x, window, bins, max_rows): how evenly a time fills its range, in bits.

    H[t] = -sum over bins p ln(p) / ln(2),  p = share of the rows in the bin

Over the rows i <= t with time[i] > time[t] - window. The bins are equally wide between the
window's lowest and highest value. 0 where all are equal, log2(bins) at most.

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null. Unit: bits. A row costs a window.
Source: Shannon (1948), Bell System Technical Journal 27, 379-423 (the plug-in form).
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define
from qf.ring import FIRST, drop_oldest, enter, is_short, leaves
from qf.time_windows import inside

WIDTH = 1e-300  # a narrower range counts as equal values: its bins cannot be told apart

op = define(
    "window_entropy(x, time: time, window: 1ms..7d, bins: 2..64 = 10, "
    "max_rows: 16..1000000 = 65536) -> out, window_full: int",
    memory=lambda window, bins, max_rows: max_rows,
    slots=lambda window, bins, max_rows: max_rows + FIRST,
    ints=lambda window, bins, max_rows: max_rows + FIRST + bins,
    tolerance=SUM,
    unit="1",
    example='window_entropy(size, "5s")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, bins, max_rows):
    rows, full = inside(time, window, max_rows)
    last = x[-rows:]
    if any_missing(last):
        return math.nan, full
    low, width = min(last), max(last) - min(last)
    per_unit = bins / width if width > WIDTH else 0.0
    places = [min(int((value - low) * per_unit), bins - 1) for value in last]
    shares = [places.count(place) / rows for place in set(places)]
    return abs(math.fsum(share * math.log(share) for share in shares)) / math.log(2.0), full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    window, bins, room = int(params[0]), int(params[1]), int(params[2])
    counts = FIRST + room
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            drop_oldest(state, ints, room, start)
        enter(state, ints, room, x[t], time[t])
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        if ints[1] > 0:
            continue
        rows = row + t - lo - ints[0] + 1
        low, high, place = x[t], x[t], ints[4]
        for _ in range(rows):
            value = state[FIRST + place]
            place = place + 1 if place + 1 < room else 0
            low = value if value < low else low
            high = value if value > high else high
        per_unit = bins / (high - low) if high - low > WIDTH else 0.0
        for k in range(bins):
            ints[counts + k] = 0
        for _ in range(rows):
            place = place - 1 if place > 0 else room - 1
            ints[counts + min(int((state[FIRST + place] - low) * per_unit), bins - 1)] += 1
        total = 0.0
        for k in range(bins):
            if ints[counts + k] > 0:
                share = ints[counts + k] / rows
                total += share * math.log(share)
        out[t] = abs(total) / math.log(2.0)
