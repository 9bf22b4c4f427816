"""window_autocorr(x, window, lag, max_rows): correlation of a time with itself `lag` rows earlier.

    r[t] = corr( x[i], x[i-lag] ),  time[i-lag] > time[t] - window, i <= t   (Pearson)

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null, with fewer than two pairs, and where either stretch is constant.
Unit: none. A row costs a window.
Source: Box, Jenkins (1970), Time Series Analysis, 2.1 (here with both stretches' own means).
"""

import math

from qf.missing import any_missing
from qf.moments import correlation_of
from qf.op import MOMENT, define
from qf.ring import FIRST
from qf.ring_afresh import slide_autocorr_in_time
from qf.time_windows import inside

op = define(
    "window_autocorr(x, time: time, window: 1ms..7d, lag: 1..10000 = 1, "
    "max_rows: 16..1000000 = 65536) -> out, window_full: int",
    warmup=lambda window, lag, max_rows: lag + 1,
    memory=lambda window, lag, max_rows: max_rows,
    slots=lambda window, lag, max_rows: max_rows + FIRST,
    ints=lambda window, lag, max_rows: max_rows + FIRST,
    tolerance=MOMENT,
    unit="1",
    example='window_autocorr(log_return(mid), "1m", 1)',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, lag, max_rows):
    rows, full = inside(time, window, max_rows)
    last = x[-rows:]
    if any_missing(last) or rows - lag < 2:
        return math.nan, full
    return correlation_of(last[lag:], last[:-lag]), full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_autocorr_in_time(x, time, lo, hi, row, out, window_full, params, state, ints)
