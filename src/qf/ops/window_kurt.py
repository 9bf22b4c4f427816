"""window_kurt(x, window, max_rows): how heavy the tails of the last `window` of time are.

    G2[t] = (n-1) / ((n-2) (n-3)) * ((n+1) g2 + 6),  g2 = m4 / m2^2 - 3

mk = mean of (x - mean)^k over the n rows i <= t with time[i] > time[t] - window: excess kurtosis,
unbiased for normal values (which have 0).

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null, with fewer than four, and where all are equal.
Unit: none. A row costs a window.
Source: Joanes, Gill (1998), The Statistician 47(1), 183-189 (G2, the adjusted form).
"""

import math

from qf.op import MOMENT, define
from qf.ring import FIRST
from qf.ring_afresh import slide_shape_in_time
from qf.shapes import KURT, shape_of
from qf.time_windows import inside

op = define(
    "window_kurt(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 3,
    memory=lambda window, max_rows: max_rows,
    lookback=lambda window, max_rows: 1,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=MOMENT,
    unit="1",
    example='window_kurt(log_return(price), "1m")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    return shape_of(x[-rows:], KURT) if rows >= 4 else math.nan, full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_shape_in_time(x, time, lo, hi, row, KURT, out, window_full, params, state, ints)
