"""volatility(bps, span): the bar closes when its trades were expected to move the price so far.

    r = price / price before - 1,  v = v + 2 / (span + 1) · (r² - v),  v = r² at the first
    closes when 1e4 · sqrt(sum of v since the last close) >= bps

v is the exponential mean of squared returns: bars come at an even pace of volatility, not of time.
With span 1 it is r² itself, and a bar holds that much realised volatility. `reset: day` closes
before the first trade of a new UTC day (processed_time) and forgets the sum, not v. Units: bps in
1e-4 of the price, span in trades. Null rule: none, the inputs are never null.
Source: definition; the clock of Ané, Geman (2000), Journal of Finance 55(5), by variance.
"""

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, FOREVER
from qf.clock import DAY_NS
from qf.op import define

NUMBERS = "bps: 0.001..1e5, span: 1..1000000 = 50, reset: never|day = never"
USER = f"volatility({NUMBERS})"
CLOCK_NAME = "volatility_bps_{bps}"

op = define(
    f"volatility(price_ticks: int, processed_time: int, {NUMBERS}) -> close: int",
    lookback=lambda bps, span, reset: 1,
    slots=lambda bps, span, reset: 2,
    ints=lambda bps, span, reset: 3,
    memory=lambda bps, span, reset: 0,
    unit="1",
    example="volatility(price_ticks, processed_time, 10)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: returns have no unit to convert."""
    return dict(user)


@op.definition
def definition(price_ticks, processed_time, bps, span, reset):
    limit, alpha = (bps * 1e-4) * (bps * 1e-4), 2.0 / (span + 1.0)
    total, variance, members, code = 0.0, None, 0, 0
    for t, time in enumerate(processed_time):
        code = 0
        if reset == "day" and t > 0 and time // DAY_NS != processed_time[t - 1] // DAY_NS:
            code = CLOSES_BEFORE if members else 0
            total, members = 0.0, 0
        members += 1
        if t > 0:
            r = (price_ticks[t] - price_ticks[t - 1]) / price_ticks[t - 1]
            variance = r * r if variance is None else variance + alpha * (r * r - variance)
            total += variance
        if total >= limit:
            code += CLOSES_WITH
            total, members = 0.0, 0
    return code


@op.kernel
def kernel(price_ticks, processed_time, lo, hi, close, params, state, ints):
    limit, alpha = (params[0] * 1e-4) * (params[0] * 1e-4), 2.0 / (params[1] + 1.0)
    total, variance = state[0], state[1]
    seen, members = ints[0], ints[1]
    day_end = ints[2] if params[2] == 1.0 else FOREVER
    for t in range(lo, hi):
        code = 0
        if processed_time[t] >= day_end:
            code = CLOSES_BEFORE if members > 0 else 0
            total = 0.0
            members = 0
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        members = 1
        if seen > 0:
            r = (price_ticks[t] - price_ticks[t - 1]) / price_ticks[t - 1]
            variance = r * r if seen == 1 else variance + alpha * (r * r - variance)
            total += variance
        seen = min(seen + 1, 2)
        if total >= limit:
            code |= CLOSES_WITH
            total = 0.0
            members = 0
        close[t] = code
    state[0], state[1] = total, variance
    ints[0], ints[1], ints[2] = seen, members, day_end
