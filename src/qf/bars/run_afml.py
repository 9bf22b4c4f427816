"""run_afml(ticks, window, bars, floor, cap, of): one side's flow beyond what was expected of it.

    θ = max(amount bought, amount sold) since the last close
    closes when θ > E[T] · max(P[buy] E[bought], (1 - P[buy]) E[sold])

amount: size (`of: volume`), 1 (`ticks`), price · size (`value`). E[bought] and E[sold] are means of
a side's amounts over all its trades, exponential with the span of its trades among the first
`window` trades so far; P[buy] and E[T] those of the buys' share and the lengths of the last `bars`
bars, E[T] at first `ticks`. All are renewed when a bar closes. The first may close when both sides
have `ticks` trades.

E[T] stays within floor · ticks and cap · ticks: left alone, a long bar makes the next ones longer
(2 bars in 6,955 trades). floor 0 and cap 1e9 is the rule as it is published. `reset: day` closes
before the first trade of a new UTC day (processed_time) and forgets θ, not the expectations.
`qf check` says how steady a clock was. Unit of ticks, window: trades; the others none.
Null rule: a trade of unknown direction is of neither side; a value beyond an int64 adds 0.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.2.2.
"""

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, FOREVER
from qf.clock import DAY_NS
from qf.expected_flow import (
    amount_of,
    amounts_in,
    count_side,
    decay_of,
    faded,
    mean_of_lengths,
    put_length,
    span_mean,
    within,
)
from qf.op import define

NUMBERS = (
    "ticks: 1..1000000000, window: 1..1000000 = 10000, bars: 1..1000 = 10,"
    " floor: 0.0..1.0 = 0.2, cap: 1.0..1e9 = 5.0,"
    " of: volume|ticks|value = volume, reset: never|day = never"
)
USER = f"run_afml({NUMBERS})"
CLOCK_NAME = "run_afml_k_{ticks}"
# state: θ of buys and sells, E[T], the threshold, P[buy], then per side total, weight and decay
BOUGHT, SOLD, LENGTH, LEAST, SHARE, BUYS, SELLS, RING = 0, 1, 2, 3, 4, 5, 8, 11

op = define(
    "run_afml(size_lots: int, value_units: int, direction: int, processed_time: int,"
    f" {NUMBERS}) -> close: int",
    lookback=lambda ticks, window, **_: window,
    slots=lambda ticks, window, bars, **_: RING + 2 * bars,
    ints=lambda ticks, **_: 8,
    memory=lambda ticks, **_: 0,
    unit="1",
    example="run_afml(size_lots, value_units, direction, processed_time, 1000)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: trades and shares have no unit to convert."""
    return dict(user)


@op.definition
def definition(
    size_lots, value_units, direction, processed_time, ticks, window, bars, floor, cap, of, reset
):
    amounts = amounts_in(size_lots, value_units, of)

    def expectation(t, share):
        sides = []
        for side in (1, -1):
            own = [a for a, sign in zip(amounts, direction[: t + 1], strict=False) if sign == side]
            span = max(1, direction[: min(t + 1, window)].count(side))
            sides.append(span_mean(own, span) if own else 0.0)
        return max(share * sides[0], (1.0 - share) * sides[1])

    bar, bought, lengths, shares, least, code = [], 0.0, [], [], None, 0
    expected = within(ticks, ticks, floor, cap)
    for t, time in enumerate(processed_time):
        code = 0
        if reset == "day" and t > 0 and time // DAY_NS != processed_time[t - 1] // DAY_NS:
            code = CLOSES_BEFORE if bar else 0
            bar = []
        bar.append(t)
        theta = max(sum(amounts[i] for i in bar if direction[i] == side) for side in (1, -1))
        bought = sum(direction[i] == 1 for i in bar) / len(bar)
        past = direction[: t + 1]
        if least is None and min(past.count(1), past.count(-1)) >= ticks:
            least = expectation(t, bought)
        if least is not None and theta > expected * least:
            code += CLOSES_WITH
            lengths, shares = [*lengths, len(bar)][-bars:], [*shares, bought][-bars:]
            expected = within(span_mean(lengths, bars), ticks, floor, cap)
            least = expectation(t, span_mean(shares, bars))
            bar = []
    return code


def means_of(state):
    """Return both sides' totals and weights."""
    return state[BUYS], state[BUYS + 1], state[SELLS], state[SELLS + 1]


def put_means(state, buy_sum, buy_weight, sell_sum, sell_weight):
    """Write both sides' totals and weights."""
    state[BUYS], state[BUYS + 1] = buy_sum, buy_weight
    state[SELLS], state[SELLS + 1] = sell_sum, sell_weight


def sides_afresh(trades, of, t, rows, state):
    """Sum each side's amounts among the last `rows` trades, the span being their number."""
    size_lots, value_units, direction = trades
    first = t - rows + 1
    buy_decay = decay_of(max(1, count_side(direction, first, t + 1, 1)))
    sell_decay = decay_of(max(1, count_side(direction, first, t + 1, -1)))
    buy_sum, buy_weight, sell_sum, sell_weight = 0.0, 0.0, 0.0, 0.0
    for i in range(first, t + 1):
        amount, is_buy = amount_of(size_lots[i], value_units[i], of), direction[i] == 1
        is_sell = direction[i] == -1
        buy_sum = faded(buy_sum, buy_decay, amount, is_buy)
        buy_weight = faded(buy_weight, buy_decay, 1.0, is_buy)
        sell_sum = faded(sell_sum, sell_decay, amount, is_sell)
        sell_weight = faded(sell_weight, sell_decay, 1.0, is_sell)
    put_means(state, buy_sum, buy_weight, sell_sum, sell_weight)
    state[BUYS + 2], state[SELLS + 2] = buy_decay, sell_decay


def renew_least(trades, t, seen, params, state):
    """Write the flow per trade that is expected of the stronger side."""
    of = int(params[5])
    if seen < int(params[1]):
        sides_afresh(trades, of, t, seen, state)
    bought = state[BUYS] / state[BUYS + 1] if state[BUYS + 1] > 0.0 else 0.0
    sold = state[SELLS] / state[SELLS + 1] if state[SELLS + 1] > 0.0 else 0.0
    state[LEAST] = max(state[SHARE] * bought, (1.0 - state[SHARE]) * sold)


@op.kernel
def kernel(size_lots, value_units, direction, processed_time, lo, hi, close, params, state, ints):
    ticks, window, bars, of = int(params[0]), int(params[1]), int(params[2]), int(params[5])
    seen, members, closed, known = ints[0], ints[1], ints[2], ints[3]
    buys, all_buys, all_sells = ints[4], ints[5], ints[6]  # buys of the bar; trades of each side
    day_end = ints[7] if params[6] == 1.0 else FOREVER
    trades = (size_lots, value_units, direction)
    if seen == 0:
        state[LENGTH] = within(params[0], params[0], params[3], params[4])
    # What every trade changes stays out of memory, where the next would wait for it, and no branch
    # depends on a trade's side, which nobody can predict.
    bought, sold = state[BOUGHT], state[SOLD]
    buy_sum, buy_weight, sell_sum, sell_weight = means_of(state)
    for t in range(lo, hi):
        code = 0
        if processed_time[t] >= day_end:
            code = CLOSES_BEFORE if members > 0 else 0
            bought, sold = 0.0, 0.0
            members = 0
            buys = 0
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        amount = amount_of(size_lots[t], value_units[t], of)
        is_buy, is_sell = direction[t] > 0, direction[t] < 0
        seen += 1
        members += 1
        bought, sold = bought + amount if is_buy else bought, sold + amount if is_sell else sold
        buys += is_buy
        all_buys += is_buy
        all_sells += is_sell
        if seen > window:
            buy_sum = faded(buy_sum, state[BUYS + 2], amount, is_buy)
            buy_weight = faded(buy_weight, state[BUYS + 2], 1.0, is_buy)
            sell_sum = faded(sell_sum, state[SELLS + 2], amount, is_sell)
            sell_weight = faded(sell_weight, state[SELLS + 2], 1.0, is_sell)
        elif seen == window:
            sides_afresh(trades, of, t, window, state)
            buy_sum, buy_weight, sell_sum, sell_weight = means_of(state)
        first = known == 0 and min(all_buys, all_sells) >= ticks
        if first or (known == 1 and max(bought, sold) > state[LENGTH] * state[LEAST]):
            put_means(state, buy_sum, buy_weight, sell_sum, sell_weight)
            if first:
                known = 1
                state[SHARE] = buys / members
                renew_least(trades, t, seen, params, state)
            if max(bought, sold) > state[LENGTH] * state[LEAST]:
                put_length(float(members), closed, bars, state, RING)
                put_length(buys / members, closed, bars, state, RING + bars)
                closed += 1
                length = mean_of_lengths(closed, bars, state, RING)
                state[LENGTH] = within(length, params[0], params[3], params[4])
                state[SHARE] = mean_of_lengths(closed, bars, state, RING + bars)
                renew_least(trades, t, seen, params, state)
                bought, sold = 0.0, 0.0
                members = 0
                buys = 0
                code |= CLOSES_WITH
            buy_sum, buy_weight, sell_sum, sell_weight = means_of(state)
        close[t] = code
    state[BOUGHT], state[SOLD] = bought, sold
    put_means(state, buy_sum, buy_weight, sell_sum, sell_weight)
    ints[0], ints[1], ints[2], ints[3] = seen, members, closed, known
    ints[4], ints[5], ints[6], ints[7] = buys, all_buys, all_sells, day_end
