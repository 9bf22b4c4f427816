"""window_mean(x, window, max_rows): mean over the last `window` of time.

    m[t] = mean of x[i] over i <= t with time[i] > time[t] - window

The window is (t - window, t] on processed time in tape order; a window that began before the
history holds the rows there are. More than `max_rows` rows: the oldest leave, window_full is 1.
Null while a row inside is null. A window of equal values has exactly that mean.
Unit: the unit of x.
Source: Neumaier (1974), Z. Angew. Math. Mech. 54(1), 39-51 (the sum).
"""

import math

from qf.missing import any_missing, finite_or_null
from qf.op import SUM, define
from qf.ring import FIRST, slide_sum_in_time
from qf.time_windows import first_row, inside, sum_between, whole_window
from qf.time_windows import window_full as more_than

op = define(
    "window_mean(x, time: time, window: 1ms..7d, max_rows: 16..1000000 = 65536)"
    " -> out, window_full: int",
    memory=lambda window, max_rows: max_rows,
    lookback=lambda window, max_rows: 1,
    slots=lambda window, max_rows: max_rows + FIRST,
    ints=lambda window, max_rows: max_rows + FIRST,
    tolerance=SUM,
    unit="x",
    example='window_mean(size, "5s")',
)


@op.definition
def definition(x, time, window, max_rows):
    rows, full = inside(time, window, max_rows)
    last = x[-rows:]
    if any_missing(last):
        return math.nan, full
    return last[0] if min(last) == max(last) else math.fsum(last) / rows, full


@op.polars
def polars(x, time, window, max_rows):
    import polars as pl

    first = first_row(time, window, max_rows)
    rows = pl.int_range(pl.len()) - first + 1
    change = pl.int_range(pl.len()) - pl.when(x != x.shift(1)).then(
        pl.int_range(pl.len())
    ).forward_fill().fill_null(0)
    found = pl.when(change + 1 >= rows).then(x).otherwise(sum_between(x, first) / rows)
    return whole_window(finite_or_null(found), x, first), more_than(time, window, max_rows)


@op.kernel
def kernel(x, time, lo, hi, row, out, window_full, params, state, ints):
    slide_sum_in_time(x, time, lo, hi, row, True, out, window_full, params, state, ints)
