"""window_rank_corr(x, y, window, max_rows): Spearman's correlation over the last `window` of time.

    r[t] = corr(rank of x, rank of y),  mid-ranks among time[i] > time[t] - window

Values within 1e-9 of each other, relative to the ranked one, are ties.

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null in either, with one row, and where the ranks of one side are all
equal. Unit: none. A row costs the square of its window: keep `max_rows` small.
Source: Spearman (1904), American Journal of Psychology 15(1), 72-101.
"""

import math

from qf.missing import any_missing
from qf.moments import correlation, correlation_of
from qf.op import SUM, define
from qf.ranks import doubled_ranks, gap_of_rank
from qf.ring import FIRST, drop_oldest, is_short, leaves
from qf.ring_moments import enter_pair
from qf.time_windows import inside

op = define(
    "window_rank_corr(x, y, time: time, window: 1ms..7d, max_rows: 16..1000 = 128)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 1,
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: 4 * max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=SUM,
    unit="1",
    example='window_rank_corr(bid_depth, ask_depth, "5s")',
)
op.polars_missing("ties within 1e-9 need all pairs of a window; the definition is its twin")


@op.definition
def definition(x, y, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    one, other = x[-rows:], y[-rows:]
    if any_missing(one, other):
        return math.nan, full
    return correlation_of(doubled_ranks(one), doubled_ranks(other)), full


@op.kernel
def kernel(x, y, time, lo, hi, row, out, window_full, params, state, ints):
    window, room = int(params[0]), int(params[1])
    near, far = FIRST + 2 * room, FIRST + 3 * room  # the window's rows in order
    for t in range(lo, hi):
        start = time[t] - window
        while leaves(ints, room, row + t - lo, start):
            drop_oldest(state, ints, room, start)
        enter_pair(state, ints, room, x[t], y[t], time[t])
        window_full[t] = is_short(ints, start)
        out[t] = math.nan
        if ints[1] > 0:
            continue
        rows, place = row + t - lo - ints[0] + 1, ints[4]
        for k in range(rows):
            state[near + k], state[far + k] = state[FIRST + place], state[FIRST + room + place]
            place = place + 1 if place + 1 < room else 0
        total_x, total_y, square_x, square_y, product = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(rows):  # whole numbers: the sums are exact
            one = gap_of_rank(state, near, near + rows, state[near + k])
            other = gap_of_rank(state, far, far + rows, state[far + k])
            total_x += one
            total_y += other
            square_x += one * one
            square_y += other * other
            product += one * other
        spread_x = square_x * rows - total_x * total_x
        spread_y = square_y * rows - total_y * total_y
        out[t] = correlation(product * rows - total_x * total_y, spread_x * spread_y)
