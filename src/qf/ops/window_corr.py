"""window_corr(x, y, window, max_rows): Pearson correlation over the last `window` of time.

    r[t] = cov(x, y) / ( s(x) s(y) ),  over the rows i <= t with time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null in either, with one row, and where either is constant. Unit: none.
Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), 242-247 (shifted data).
"""

from qf.moments import CORRELATION, correlation_of
from qf.op import MOMENT, define
from qf.ring import FIRST
from qf.ring_moments import PAIR_WORDS, slide_products_in_time
from qf.time_windows import inside

op = define(
    "window_corr(x, y, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    warmup=lambda window, max_rows: 1,
    memory=lambda window, max_rows: max_rows,
    slots=lambda window, max_rows: 2 * max_rows + FIRST + PAIR_WORDS,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=MOMENT,
    unit="1",
    example='window_corr(bid_depth, ask_depth, "5s")',
)
op.polars_missing(
    "windows in time differ in their rows; Polars has no statistic over given row ranges"
)


@op.definition
def definition(x, y, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    return correlation_of(x[-rows:], y[-rows:]), full


@op.kernel
def kernel(x, y, time, lo, hi, row, out, window_full, params, state, ints):
    slide_products_in_time(
        x, y, time, lo, hi, row, CORRELATION, out, window_full, params, state, ints
    )
