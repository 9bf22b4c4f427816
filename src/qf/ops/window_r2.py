"""window_r2(x, window, max_rows): share of a time's variance that a straight line in time explains.

    r2[t] = corr(x[i], time[i])^2,  over the rows i <= t with time[i] > time[t] - window

1 is a perfect trend, up or down, against time; `rolling_r2` is against the row number.

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null, with fewer than three, while all have one time, and where all
values are equal. Unit: none. A row costs a window.
Source: Pearson (1896), Phil. Trans. R. Soc. A 187, 253-318.
"""

from qf.op import MOMENT, define
from qf.ring import FIRST
from qf.ring_afresh import line_in_time, slide_line_in_time
from qf.time_windows import inside
from qf.trends import R2

op = define(
    "window_r2(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 2,
    memory=lambda window, max_rows: max_rows,
    lookback=lambda window, max_rows: 1,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=MOMENT,
    unit="1",
    example='window_r2(mid, "5s")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    return line_in_time(x[-rows:], time[-rows:], R2), full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_line_in_time(x, time, lo, hi, row, R2, out, window_full, params, state, ints)
