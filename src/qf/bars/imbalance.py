"""imbalance(k, of): the bar closes with the trade that brings the signed flow to k on either side.

    θ = sum of direction · amount since the last close;  closes when abs(θ) >= k
    amount: size (`of: volume`), 1 (`ticks`), price · size (`value`)

What θ has beyond k is forgotten (`overflow: drop`) or counts for the next bar (`carry`: k is taken
off, sign kept). `reset: day` closes before the first trade of a new UTC day (processed_time) and
forgets θ. Unit of k: the symbol's size unit, trades, or the quote currency. Null rule: a trade of
unknown direction adds 0; a value that did not fit an int64 closes the bar and carries nothing.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.2, with a fixed
threshold in place of the expected one.
"""

from qf.bar_clock import (
    CARRY,
    CLOSES_BEFORE,
    CLOSES_WITH,
    FOREVER,
    clear_codes,
    day_stop,
    exact,
)
from qf.clock import DAY_NS
from qf.op import define

USER = (
    "imbalance(k: 1e-12..1e15, of: volume|ticks|value = volume, overflow: drop|carry = drop,"
    " reset: never|day = never)"
)
CLOCK_NAME = "imbalance_k_{k}"
TICKS, VALUE = 1, 2  # the option `of`, in signature order, after volume
LARGEST = 2**62
AT_ONCE = 16  # trades that are passed over together where none of them can close a bar

op = define(
    "imbalance(size_lots: int, value_units: int, direction: int, processed_time: int,"
    " k: 1..9007199254740992, of: volume|ticks|value = volume, overflow: drop|carry = drop,"
    " reset: never|day = never) -> close: int",
    ints=lambda k, of, overflow, reset: 3,
    memory=lambda k, of, overflow, reset: 0,
    unit="1",
    example="imbalance(size_lots, value_units, direction, processed_time, 10)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: k in whole lots, trades or value units."""
    counts = {"volume": units.lots, "value": units.values, "ticks": lambda k: -(-exact(k) // 1)}
    return {**user, "k": counts[user["of"]](user["k"])}


@op.definition
def definition(size_lots, value_units, direction, processed_time, k, of, overflow, reset):
    amounts = {"volume": size_lots, "ticks": [1] * len(size_lots), "value": value_units}[of]
    theta, has_members, code = 0, False, 0
    rows = zip(amounts, direction, processed_time, strict=True)
    for at, (amount, sign, time) in enumerate(rows):
        code = 0
        new_day = at > 0 and time // DAY_NS != processed_time[at - 1] // DAY_NS
        if reset == "day" and new_day:
            code = CLOSES_BEFORE if has_members else 0
            theta, has_members = 0, False
        has_members = True
        fits = amount >= 0
        theta += sign * amount if fits else 0
        if abs(theta) >= k or (sign and not fits):
            code += CLOSES_WITH
            has_members = False
            side = 1 if theta > 0 else -1
            theta = theta - side * k if overflow == "carry" and fits else 0
    return code


def passed(amounts, direction, t, stop, mask, one, theta, k):
    """Return θ after at most AT_ONCE trades from t on; k where one of them might close a bar."""
    total, moved, bits = 0, 0, 0  # an OR is at least each of its numbers; negative if one is
    for at in range(t, stop):
        amount = amounts[at] & mask | one
        total += amount
        moved += direction[at] * amount
        bits |= amount
    fits = 0 <= bits < LARGEST // AT_ONCE
    return theta + moved if fits and abs(theta) + total < k else k


@op.kernel
def kernel(size_lots, value_units, direction, processed_time, lo, hi, close, params, ints):
    k = int(params[0])
    of = int(params[1])
    overflow = int(params[2])
    theta = ints[0]
    members = ints[1]
    day_end = ints[2] if params[3] == 1.0 else FOREVER
    amounts = value_units if of == VALUE else size_lots
    one, mask = (1, 0) if of == TICKS else (0, -1)
    t = lo
    while t < hi:
        code = 0
        if processed_time[t] >= day_end:
            code = CLOSES_BEFORE if members > 0 else 0
            theta = 0
            day_end = (processed_time[t] // DAY_NS + 1) * DAY_NS
        stop = day_stop(processed_time, t, hi, day_end)
        while t < stop:
            span = min(t + AT_ONCE, stop)
            after = passed(amounts, direction, t, span, mask, one, theta, k)
            if code == 0 and after < k:
                theta, members = after, 1
                clear_codes(close, t, span)
                t = span
            while t < span:
                amount = amounts[t] & mask | one
                sign = direction[t]
                moved = theta + sign * amount
                members = 1
                if 0 <= amount < LARGEST and abs(moved) < k:
                    theta = moved
                    close[t] = code
                    code = 0
                    t += 1
                    continue
                if amount >= 0:
                    theta += sign * min(amount, LARGEST)
                if abs(theta) >= k or (amount < 0 and sign != 0):
                    code |= CLOSES_WITH
                    members = 0
                    if overflow == CARRY and amount >= 0:
                        theta = max(-LARGEST, min(LARGEST, theta))
                        theta += -k if theta > 0 else k
                    else:
                        theta = 0
                close[t] = code
                code = 0
                t += 1
    ints[0] = theta
    ints[1] = members
    ints[2] = day_end
