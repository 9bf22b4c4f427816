"""cusum(bps): the bar closes with the trade at which the price has run `bps` up or down.

    up = max(0, up + r),  down = min(0, down + r),  r = 1e4 · (price / price before - 1)
    closes when up >= bps, which puts up back to 0, or when down <= -bps, which puts down back

The symmetric CUSUM filter: an event is a move of some size without a pause, so a price that
wanders about one level makes none. The other side's sum goes on. `reset: day` closes before the
first trade of a new UTC day (processed_time) and puts both back. Unit of bps: 1e-4 of the price.
Null rule: none, the inputs are never null.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.5.2.1.
"""

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, FOREVER
from qf.clock import DAY_NS
from qf.op import define

NUMBERS = "bps: 0.001..1e5, reset: never|day = never"
USER = f"cusum({NUMBERS})"
CLOCK_NAME = "cusum_bps_{bps}"

op = define(
    f"cusum(price_ticks: int, processed_time: int, {NUMBERS}) -> close: int",
    lookback=lambda bps, reset: 1,
    slots=lambda bps, reset: 2,
    ints=lambda bps, reset: 3,
    memory=lambda bps, reset: 0,
    unit="1",
    example="cusum(price_ticks, processed_time, 10)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: returns have no unit to convert."""
    return dict(user)


@op.definition
def definition(price_ticks, processed_time, bps, reset):
    up, down, members, code = 0.0, 0.0, 0, 0
    for t, time in enumerate(processed_time):
        code = 0
        if reset == "day" and t > 0 and time // DAY_NS != processed_time[t - 1] // DAY_NS:
            code = CLOSES_BEFORE if members else 0
            up, down, members = 0.0, 0.0, 0
        members += 1
        r = 0.0
        if t > 0:
            r = 1e4 * (price_ticks[t] - price_ticks[t - 1]) / price_ticks[t - 1]
        up, down = max(0.0, up + r), min(0.0, down + r)
        if up >= bps or down <= -bps:
            code += CLOSES_WITH
            up, down = 0.0 if up >= bps else up, 0.0 if down <= -bps else down
            members = 0
    return code


@op.kernel
def kernel(price_ticks, processed_time, lo, hi, close, params, state, ints):
    bps = params[0]
    up, down = state[0], state[1]
    seen, members = ints[0], ints[1]
    day_end = ints[2] if params[1] == 1.0 else FOREVER
    for t in range(lo, hi):
        code = 0
        if processed_time[t] >= day_end:
            code = CLOSES_BEFORE if members > 0 else 0
            up, down = 0.0, 0.0
            members = 0
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        members = 1
        if seen > 0:
            r = 1e4 * (price_ticks[t] - price_ticks[t - 1]) / price_ticks[t - 1]
            up, down = max(0.0, up + r), min(0.0, down + r)
        seen = 1
        if up >= bps or down <= -bps:
            code |= CLOSES_WITH
            up = 0.0 if up >= bps else up
            down = 0.0 if down <= -bps else down
            members = 0
        close[t] = code
    state[0], state[1] = up, down
    ints[0], ints[1], ints[2] = seen, members, day_end
