"""window_slope(x, window, max_rows): change per second of the straight line through a time.

    b[t] = sum( (s[i] - s') x[i] ) / sum( (s[i] - s')^2 ),  s = time in seconds, s' its mean

The least-squares line against processed time, over the rows i <= t with time[i] > time[t] - window;
`rolling_slope` over rows is the line against the row number.

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null, with one row, and while all have one time; 0 where all are equal.
Unit: the unit of x, per second. A row costs a window.
Source: Gauss (1809), Theoria motus (least squares).
"""

from qf.op import MOMENT, define
from qf.ring import FIRST
from qf.ring_afresh import line_in_time, slide_line_in_time
from qf.time_windows import inside
from qf.trends import SLOPE

op = define(
    "window_slope(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 1,
    memory=lambda window, max_rows: max_rows,
    lookback=lambda window, max_rows: 1,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=MOMENT,
    unit="x/s",
    example='window_slope(mid, "5s")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    return line_in_time(x[-rows:], time[-rows:], SLOPE), full


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_line_in_time(x, time, lo, hi, row, SLOPE, out, window_full, params, state, ints)
