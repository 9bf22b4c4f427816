"""tick(count): the bar closes with its `count`-th trade.

    closes when trades since the last close >= count

`reset: day` closes the bar before the first trade of a new UTC day (processed_time), so that no
bar spans midnight. Unit of count: trades. Null rule: none, the inputs are never null.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1.
"""

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, FOREVER, clear_codes, day_stop
from qf.clock import DAY_NS
from qf.op import define

USER = "tick(count: 1..1000000000, reset: never|day = never)"
CLOCK_NAME = "tick_k_{count}"

op = define(
    "tick(processed_time: int, count: 1..1000000000, reset: never|day = never) -> close: int",
    ints=lambda count, reset: 2,
    memory=lambda count, reset: 0,
    unit="1",
    example="tick(processed_time, 50)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: a count of trades has no unit to convert."""
    return dict(user)


@op.definition
def definition(processed_time, count, reset):
    members, code = 0, 0
    for at, time in enumerate(processed_time):
        code = 0
        new_day = at > 0 and time // DAY_NS != processed_time[at - 1] // DAY_NS
        if reset == "day" and new_day:
            code = CLOSES_BEFORE if members else 0
            members = 0
        members += 1
        if members == count:
            code += CLOSES_WITH
            members = 0
    return code


@op.kernel
def kernel(processed_time, lo, hi, close, params, ints):
    count = int(params[0])
    members = ints[0]
    clear_codes(close, lo, hi)
    day_end = ints[1] if params[1] == 1.0 else FOREVER
    t = lo
    while t < hi:
        if processed_time[t] >= day_end:
            close[t] = CLOSES_BEFORE if members > 0 else 0
            members = 0
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        stop = day_stop(processed_time, t, hi, day_end)
        last = t + count - members - 1  # the trade that closes the bar
        while last < stop:
            close[last] |= CLOSES_WITH
            last += count
        members = stop + count - 1 - last
        t = stop
    ints[0] = members
    ints[1] = day_end
