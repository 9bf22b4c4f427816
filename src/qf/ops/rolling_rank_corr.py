"""rolling_rank_corr(x, y, window): Spearman's correlation of the last `window` rows.

    r[t] = corr(rank of x, rank of y),  mid-ranks among rows t-window+1 .. t

Values within 1e-9 of each other, relative to the ranked one, are ties. Null until `window` rows
exist, while a row in the window is null in either, and where the ranks of one side are all equal.
Unit: none. A row costs the square of a window.
Source: Spearman (1904), American Journal of Psychology 15(1), 72-101.
"""

import math

from qf.missing import any_missing
from qf.moments import correlation, correlation_of
from qf.op import SUM, define
from qf.ranks import doubled_ranks, gap_of_rank

op = define(
    "rolling_rank_corr(x, y, window: 3..1000)",
    warmup=lambda window: window - 1,
    lookback=lambda window: window,
    ints=lambda window: 1,
    tolerance=SUM,
    unit="1",
    window_form="window_rank_corr",
    example="rolling_rank_corr(bid_depth, ask_depth, 50)",
)
op.polars_missing("ties within 1e-9 need all pairs of a window; the definition is its twin")


@op.definition
def definition(x, y, window):
    one, other = x[-window:], y[-window:]
    if any_missing(one, other):
        return math.nan
    return correlation_of(doubled_ranks(one), doubled_ranks(other))


@op.kernel
def kernel(x, y, lo, hi, out, params, ints):
    window = int(params[0])
    known = ints[0]
    for t in range(lo, hi):
        known = known + 1 if x[t] == x[t] and y[t] == y[t] else 0
        out[t] = math.nan
        if known < window:
            continue
        first = t - window + 1
        total_x, total_y, square_x, square_y, product = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(first, t + 1):  # whole numbers: the sums are exact
            one = gap_of_rank(x, first, t + 1, x[i])
            other = gap_of_rank(y, first, t + 1, y[i])
            total_x += one
            total_y += other
            square_x += one * one
            square_y += other * other
            product += one * other
        spread_x = square_x * window - total_x * total_x
        spread_y = square_y * window - total_y * total_y
        out[t] = correlation(product * window - total_x * total_y, spread_x * spread_y)
    ints[0] = known
