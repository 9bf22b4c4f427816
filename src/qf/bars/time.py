"""time(seconds): the bar closes before the first trade at or after the next boundary.

    boundaries: the UTC multiples of `seconds` on event_time

There are no timers: the trade behind the boundary makes the bar exist, in batch and live alike. A
trade whose event_time runs backwards stays in the open bar. A period without a trade is a row of
the bar table only (`qf.bar_clock.with_empty_bars`), and bar_id counts it. Unit of seconds: s, any
decimal down to 1 ms. Null rule: none, the input is never null.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1.
"""

from qf.bar_clock import CLOSES_BEFORE, clear_codes, exact
from qf.clock import SECOND_NS
from qf.op import define

USER = "time(seconds: 0.001..604800.0)"
CLOCK_NAME = "time_s_{seconds}"

op = define(
    "time(event_time: int, period_ns: 1000000..604800000000000) -> close: int",
    ints=lambda period_ns: 1,
    memory=lambda period_ns: 0,
    unit="1",
    example="time(event_time, 60000000000)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: the period in whole nanoseconds."""
    return {"period_ns": int(exact(user["seconds"]) * SECOND_NS)}


def fold_options(parameters):
    """Return what the fold must know to number bars by their period."""
    return {"period_ns": parameters["period_ns"]}


@op.definition
def definition(event_time, period_ns):
    latest = [time // period_ns for time in event_time[:-1]]
    opens_next = bool(latest) and event_time[-1] // period_ns > max(latest)
    return CLOSES_BEFORE if opens_next else 0


@op.kernel
def kernel(event_time, lo, hi, close, params, ints):
    period = int(params[0])
    boundary = ints[0]
    clear_codes(close, lo, hi)
    for t in range(lo, hi):
        if event_time[t] >= boundary:
            close[t] = CLOSES_BEFORE if boundary > 0 else 0
            boundary = (event_time[t] // period + 1) * period
    ints[0] = boundary
