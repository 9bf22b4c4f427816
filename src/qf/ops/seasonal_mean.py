"""seasonal_mean(x, slots, period, weight): what x was like at this time of the earlier days.

    b[k] = m                         after the first day on which slot k had a value
    b[k] = b[k] + weight (m - b[k])  after every later one,  m the mean of x in slot k of that day
    y[t] = b[k of t]

A day (`period`) has `slots` equal parts and begins at 00:00 UTC; a week begins on Thursday. A slot
counts only when it has ended, so a value never meets itself. Until slot k has been seen, y is the
mean of the b there are, as it was when the slot began; null before the first slot has ended.
Unit: the unit of x.
Source: Andersen, Bollerslev (1997), Journal of Empirical Finance 4, 115-158 (intraday periodicity,
here averaged causally).
"""

import math

from qf.op import MOMENT, define
from qf.schema import NULL_INT

op = define(
    "seasonal_mean(x, time: time, slots: 1..1440 = 24, period: 1h..7d = 1d,"
    " weight: 0.001..1.0 = 0.1)",
    memory=lambda **_: 0,
    slots=lambda slots, **_: slots + 2,
    ints=lambda slots, **_: slots + 4,
    tolerance=MOMENT,
    unit="x",
    example="seasonal_mean(size, 24)",
)
op.polars_missing("one running mean per slot of the day, carried on over days")


@op.definition
def definition(x, time, slots, period, weight):
    if time[-1] == NULL_INT:
        return math.nan
    means, level, now, values = {}, math.nan, (-1, 0), []
    for value, at in zip(x, time, strict=True):
        if at == NULL_INT:
            continue
        slot = (at // period, at % period * slots // period)
        if slot != now:
            if values:
                mean, k = math.fsum(values) / len(values), now[1]
                means[k] = means[k] + weight * (mean - means[k]) if k in means else mean
            level = math.fsum(means.values()) / len(means) if means else math.nan
            now, values = slot, []
        if value == value:
            values.append(value)
    return means.get(now[1], level)


@op.kernel
def kernel(x, time, lo, hi, out, params, state, ints):
    # state: 0 sum of the open slot, 1 the level, then b; ints: 0 begun, 1 the open slot's number,
    # 2 its known rows, 3 how many b there are, then whether slot k has one
    slots, period, weight = int(params[0]), int(params[1]), params[2]
    for t in range(lo, hi):
        out[t] = math.nan
        if time[t] == NULL_INT:
            continue
        k = time[t] % period * slots // period
        number = time[t] // period * slots + k
        if ints[0] == 0 or number != ints[1]:
            if ints[2] > 0:
                mean, ended = state[0] / ints[2], ints[1] % slots
                if ints[4 + ended] == 1:
                    mean = state[2 + ended] + weight * (mean - state[2 + ended])
                else:
                    ints[4 + ended] = 1
                    ints[3] += 1
                state[2 + ended] = mean
            if ints[3] < slots:
                total = 0.0
                for i in range(slots):
                    total += state[2 + i]
                state[1] = total / ints[3] if ints[3] > 0 else math.nan
            state[0] = 0.0
            ints[0], ints[1], ints[2] = 1, number, 0
        if x[t] == x[t]:
            state[0] += x[t]
            ints[2] += 1
        out[t] = state[2 + k] if ints[4 + k] == 1 else state[1]
