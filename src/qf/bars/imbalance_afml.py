"""imbalance_afml(ticks, window, bars, floor, cap, clamp, of): signed flow beyond what was expected.

    θ = sum of direction · amount since the last close
    closes when abs(θ) > max(E[T] · abs(E[b]), clamp · sqrt(E[T] · E[b²]))

amount: size (`of: volume`), 1 (`ticks`), price · size (`value`). E[b] and E[b²] are exponential
means of direction · amount and its square over all trades, of span min(trades so far, window); E[T]
is that of the lengths of the last `bars` bars, `ticks` at first. All are renewed when a bar closes.
The first may close after `ticks` trades.

Left alone the rule runs away: E[b] near 0 gives bars of one trade, long bars make E[T] and the next
bars longer. So E[T] stays within floor · ticks and cap · ticks, and θ must leave `clamp` deviations
of what E[T] trades without a lean would sum to: with clamp 1 they need about E[T] trades for it.
floor 0, cap 1e9, clamp 0 is the rule as it is published.
`qf check` says how steady a clock was. `reset: day` closes before the first trade of a new UTC day
(processed_time) and forgets θ, not the expectations. Unit of ticks, window: trades; else none.
Null rule: a trade of unknown direction, or whose value did not fit an int64, adds 0.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.2.1.
"""

import math

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, FOREVER
from qf.clock import DAY_NS
from qf.expected_flow import (
    amount_of,
    amounts_in,
    decay_of,
    mean_of_lengths,
    put_length,
    span_mean,
    within,
)
from qf.op import define

NUMBERS = (
    "ticks: 1..1000000000, window: 1..1000000 = 10000, bars: 1..1000 = 10,"
    " floor: 0.0..1.0 = 0.2, cap: 1.0..1e9 = 5.0, clamp: 0.0..10.0 = 1.0,"
    " of: volume|ticks|value = volume, reset: never|day = never"
)
USER = f"imbalance_afml({NUMBERS})"
CLOCK_NAME = "imbalance_afml_k_{ticks}"
THETA, LENGTH, THRESHOLD, SIGNED, SQUARES, WEIGHT, RING = 0, 1, 2, 3, 4, 5, 6

op = define(
    "imbalance_afml(size_lots: int, value_units: int, direction: int, processed_time: int,"
    f" {NUMBERS}) -> close: int",
    lookback=lambda ticks, window, **_: window,
    slots=lambda ticks, window, bars, **_: RING + bars,
    ints=lambda ticks, **_: 5,
    memory=lambda ticks, **_: 0,
    unit="1",
    example="imbalance_afml(size_lots, value_units, direction, processed_time, 1000)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: trades and shares have no unit to convert."""
    return dict(user)


@op.definition
def definition(
    size_lots, value_units, direction, processed_time, ticks, window, bars, floor, cap, clamp, of,
    reset,
):  # fmt: skip
    amounts = amounts_in(size_lots, value_units, of)
    flows = [sign * amount for sign, amount in zip(direction, amounts, strict=True)]

    def expectation(t):
        span, past = min(t + 1, window), flows[: t + 1]
        noise = math.sqrt(expected * span_mean([f * f for f in past], span))
        return max(expected * abs(span_mean(past, span)), clamp * noise)

    theta, members, lengths, threshold, code = 0.0, 0, [], None, 0
    expected = within(ticks, ticks, floor, cap)
    for t, time in enumerate(processed_time):
        code = 0
        if reset == "day" and t > 0 and time // DAY_NS != processed_time[t - 1] // DAY_NS:
            code = CLOSES_BEFORE if members else 0
            theta, members = 0.0, 0
        theta, members = theta + flows[t], members + 1
        closes = False
        if threshold is not None or t + 1 >= ticks:
            threshold = expectation(t) if threshold is None else threshold
            closes = abs(theta) > threshold
        if closes:
            code += CLOSES_WITH
            lengths = [*lengths, members][-bars:]
            expected = within(span_mean(lengths, bars), ticks, floor, cap)
            threshold = expectation(t)
            theta, members = 0.0, 0
    return code


def flow_afresh(trades, of, t, rows, state):
    """Sum flow and its squares over the last `rows` trades, the span being their number."""
    size_lots, value_units, direction = trades
    decay = decay_of(rows)
    signed, squares, weight = 0.0, 0.0, 0.0
    for i in range(t - rows + 1, t + 1):
        flow = direction[i] * amount_of(size_lots[i], value_units[i], of)
        signed = signed * decay + flow
        squares = squares * decay + flow * flow
        weight = weight * decay + 1.0
    state[SIGNED], state[SQUARES], state[WEIGHT] = signed, squares, weight


def renew_threshold(trades, t, seen, params, state):
    """Write the net flow that is expected of a bar, at least `clamp` deviations of noise."""
    if seen < int(params[1]):
        flow_afresh(trades, int(params[6]), t, seen, state)
    net, square = state[SIGNED] / state[WEIGHT], state[SQUARES] / state[WEIGHT]
    noise = math.sqrt(state[LENGTH] * square)
    state[THRESHOLD] = max(state[LENGTH] * abs(net), params[5] * noise)


@op.kernel
def kernel(size_lots, value_units, direction, processed_time, lo, hi, close, params, state, ints):
    ticks, window, bars, of = int(params[0]), int(params[1]), int(params[2]), int(params[6])
    seen, members, closed, known = ints[0], ints[1], ints[2], ints[3]
    day_end = ints[4] if params[7] == 1.0 else FOREVER
    trades = (size_lots, value_units, direction)
    decay = decay_of(window)
    if seen == 0:
        state[LENGTH] = within(params[0], params[0], params[3], params[4])
    # What every trade changes stays out of memory, where the next would wait for it.
    theta, signed, squares, weight = state[THETA], state[SIGNED], state[SQUARES], state[WEIGHT]
    for t in range(lo, hi):
        code = 0
        if processed_time[t] >= day_end:
            code = CLOSES_BEFORE if members > 0 else 0
            theta = 0.0
            members = 0
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        flow = direction[t] * amount_of(size_lots[t], value_units[t], of)
        seen += 1
        members += 1
        theta += flow
        if seen > window:
            signed = signed * decay + flow
            squares = squares * decay + flow * flow
            weight = weight * decay + 1.0
        elif seen == window:
            flow_afresh(trades, of, t, window, state)
            signed, squares, weight = state[SIGNED], state[SQUARES], state[WEIGHT]
        first = known == 0 and seen >= ticks
        if first or (known == 1 and abs(theta) > state[THRESHOLD]):
            state[SIGNED], state[SQUARES], state[WEIGHT] = signed, squares, weight
            if first:
                known = 1
                renew_threshold(trades, t, seen, params, state)
            if abs(theta) > state[THRESHOLD]:
                put_length(float(members), closed, bars, state, RING)
                closed += 1
                length = mean_of_lengths(closed, bars, state, RING)
                state[LENGTH] = within(length, params[0], params[3], params[4])
                renew_threshold(trades, t, seen, params, state)
                theta = 0.0
                members = 0
                code |= CLOSES_WITH
            signed, squares, weight = state[SIGNED], state[SQUARES], state[WEIGHT]
        close[t] = code
    state[THETA], state[SIGNED], state[SQUARES], state[WEIGHT] = theta, signed, squares, weight
    ints[0], ints[1], ints[2], ints[3], ints[4] = seen, members, closed, known, day_end
