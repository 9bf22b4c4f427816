"""adaptive(share, days, first, of): a bar holds a share of the mean daily flow of earlier days.

    closes when sum of amount since the last close >= threshold
    threshold = share · mean of the daily amounts of the last `days` whole days, `first` before any

amount: value (`of: value`), size (`volume`), 1 (`ticks`). The threshold is frozen from one UTC
midnight (processed_time) to the next, and comes from earlier days alone; a day without trades is
no day, and the first one, which may have begun before its trades did, is left out. So a clock keeps
its number of bars a day, about 1 / share, as the market grows. `reset: day` closes before the first
trade of a new day. Units: share none, first in quote currency, size units or trades. Null rule: a
value that did not fit an int64 adds 0.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1, asks for sizes
that follow the market; the share of trailing flow is the definition.
"""

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, exact
from qf.clock import DAY_NS
from qf.op import define

USER = (
    "adaptive(share: 1e-9..1.0, days: 1..366 = 7, first: 1e-12..1e15 = 1000000,"
    " of: value|volume|ticks = value, reset: never|day = never)"
)
CLOCK_NAME = "adaptive_share_{share}"
VOLUME, TICKS = 1, 2  # the option `of`, in signature order, after value
LARGEST = 2**62
# ints; MIDNIGHTS are those passed: the day that ends with the first of them is left out
DAY_END, MEMBERS, FILLED, TODAY, THRESHOLD, MIDNIGHTS, RING = 0, 1, 2, 3, 4, 5, 6

op = define(
    "adaptive(size_lots: int, value_units: int, processed_time: int, share: 1e-9..1.0,"
    " days: 1..366 = 7, first: 1..9007199254740992 = 1, of: value|volume|ticks = value,"
    " reset: never|day = never) -> close: int",
    ints=lambda share, days, **_: RING + days,
    memory=lambda share, **_: 0,
    unit="1",
    example="adaptive(size_lots, value_units, processed_time, 0.002, 7, 1000000)",
)
op.polars_missing("a bar rule is a state machine over trades; the fold's partition law is its twin")


def scale(user, units):
    """Return the kernel's parameters: the first threshold in value units, lots or trades."""
    counts = {"volume": units.lots, "value": units.values, "ticks": lambda k: -(-exact(k) // 1)}
    return {**user, "first": max(1, int(counts[user["of"]](user["first"])))}


def amount_in(lots, value, of):
    """Return what a trade counts for; a value that did not fit an int64 counts for nothing."""
    amount = value if of == 0 else lots
    if of == TICKS:
        amount = 1
    return amount if 0 <= amount <= LARGEST else 0


def share_of(total, days, share):
    """Return the least whole number that is at least share · total / days, and 1 at least."""
    wanted = share * (total / days)
    whole = int(min(wanted, 4e18))
    return max(1, whole + 1 if whole < wanted else whole)


@op.definition
def definition(size_lots, value_units, processed_time, share, days, first, of, reset):
    which = ("value", "volume", "ticks").index(of)
    filled, members, code, totals, threshold = 0, 0, 0, {}, first
    for t, time in enumerate(processed_time):
        code, day = 0, time // DAY_NS
        if t > 0 and day != processed_time[t - 1] // DAY_NS:
            whole = list(totals.values())[1:][-days:]  # without the first
            if whole:
                threshold = share_of(sum(float(total) for total in whole), len(whole), share)
            if reset == "day":
                code = CLOSES_BEFORE if members else 0
                filled, members = 0, 0
        amount = amount_in(size_lots[t], value_units[t], which)
        totals[day] = totals.get(day, 0) + amount
        filled, members = filled + amount, members + 1
        if filled >= threshold:
            code += CLOSES_WITH
            filled, members = 0, 0
    return code


@op.kernel
def kernel(size_lots, value_units, processed_time, lo, hi, close, params, ints):
    share, days, of = params[0], int(params[1]), int(params[3])
    resets = params[4] == 1.0
    if ints[THRESHOLD] == 0:
        ints[THRESHOLD] = int(params[2])
    for t in range(lo, hi):
        code = 0
        if processed_time[t] >= ints[DAY_END]:
            if ints[DAY_END] > 0:
                if ints[MIDNIGHTS] > 0:
                    ints[RING + (ints[MIDNIGHTS] - 1) % days] = ints[TODAY]
                count = min(ints[MIDNIGHTS], days)
                total = 0.0
                for k in range(ints[MIDNIGHTS] - count, ints[MIDNIGHTS]):
                    total += ints[RING + k % days]
                if count > 0:
                    ints[THRESHOLD] = share_of(total, count, share)
                ints[MIDNIGHTS] += 1
                if resets:
                    code = CLOSES_BEFORE if ints[MEMBERS] > 0 else 0
                    ints[FILLED] = 0
                    ints[MEMBERS] = 0
            ints[TODAY] = 0
            ints[DAY_END] = (processed_time[t] // DAY_NS + 1) * DAY_NS
        amount = amount_in(size_lots[t], value_units[t], of)
        ints[TODAY] = min(ints[TODAY] + amount, LARGEST)
        ints[FILLED] = min(ints[FILLED] + amount, LARGEST)
        ints[MEMBERS] += 1
        if ints[FILLED] >= ints[THRESHOLD]:
            code |= CLOSES_WITH
            ints[FILLED] = 0
            ints[MEMBERS] = 0
        close[t] = code
