"""run(window): the bar closes with the `window`-th consecutive trade of the same direction.

    closes when the last `window` trades of known direction since the last close are all buys, or
    all sells; every trade since the last close belongs to the bar

The count starts anew after a close. `reset: day` closes before the first trade of a new UTC day
(processed_time). Unit of window: trades. Null rule: a trade of unknown direction neither extends
nor breaks a run.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.2.2, with a
fixed run of consecutive trades in place of the expected number of them.
"""

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, FOREVER, day_stop
from qf.clock import DAY_NS
from qf.op import define

USER = "run(window: 1..1000000, reset: never|day = never)"
CLOCK_NAME = "run_w_{window}"

op = define(
    "run(direction: int, processed_time: int, window: 1..1000000, reset: never|day = never)"
    " -> close: int",
    ints=lambda window, reset: 4,
    memory=lambda window, reset: 0,
    unit="1",
    example="run(direction, processed_time, 10)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: a count of trades has no unit to convert."""
    return dict(user)


@op.definition
def definition(direction, processed_time, window, reset):
    known, has_members, code = [], False, 0
    for at, (sign, time) in enumerate(zip(direction, processed_time, strict=True)):
        code = 0
        new_day = at > 0 and time // DAY_NS != processed_time[at - 1] // DAY_NS
        if reset == "day" and new_day:
            code = CLOSES_BEFORE if has_members else 0
            known = []
        has_members = True
        known += [sign] if sign else []
        if len(known) >= window and len(set(known[-window:])) == 1:
            code += CLOSES_WITH
            known, has_members = [], False
    return code


@op.kernel
def kernel(direction, processed_time, lo, hi, close, params, ints):
    window = int(params[0])
    length = ints[0]
    last = ints[1]
    members = ints[2]
    day_end = ints[3] if params[1] == 1.0 else FOREVER
    t = lo
    while t < hi:
        code = 0
        if processed_time[t] >= day_end:
            code = CLOSES_BEFORE if members > 0 else 0
            length = 0
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        stop = day_stop(processed_time, t, hi, day_end)
        while t < stop:
            sign = direction[t]
            members = 1
            if sign != 0:
                length = length + 1 if sign == last else 1
                last = sign
                if length >= window:
                    code |= CLOSES_WITH
                    length = 0
                    members = 0
            close[t] = code
            code = 0
            t += 1
    ints[0] = length
    ints[1] = last
    ints[2] = members
    ints[3] = day_end
