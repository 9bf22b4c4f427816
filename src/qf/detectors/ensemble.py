"""ensemble(a, b, c, rows, width, cooldown): one score of three, with a limit that follows it.

    score[t] = mean of abs(a), abs(b), abs(c), of those that are known
    limit[t] = m + width sqrt(v), m and v the exponential mean and variance of the scores before t
    alarm[t] = score[t] > limit[t] and none in the `cooldown` rows before

The scores of cusum, page_hinkley and adwin are 1 at their own alarm; others, divided by their
limits, weigh the same. A score above the limit enters m and v as the limit: an alarm does not
deafen the next. m and v forget with a span of `rows`; limit and alarm are null until `rows` scores
were seen. All begins anew where none of the three is known.

Null where all three are. Unit: score and limit none; alarm is a condition.
Source: Roberts (1959), Technometrics 1(3), 239-250 (exponential limits); mean: definition.
"""

import math

from qf.op import MOMENT, define

op = define(
    "ensemble(a, b, c, rows: 2..1000000 = 500, width: 0.1..100.0 = 4.0,"
    " cooldown: 0..1000000 = 50) -> score, limit, alarm",
    memory=lambda rows, width, cooldown: 0,
    slots=lambda rows, width, cooldown: 2,
    ints=lambda rows, width, cooldown: 2,
    tolerance=MOMENT,
    unit="1, 1, bool",
    example="ensemble.alarm(ofi_0, ofi_1, ofi_2, 500)",
)
op.polars_missing("the limit depends on the alarms before it: a state machine")


@op.definition
def definition(a, b, c, rows, width, cooldown):
    alpha = 2.0 / (rows + 1.0)
    mean = variance = 0.0
    count, last, found = 0, None, (math.nan,) * 3
    for t, each in enumerate(zip(a, b, c, strict=True)):
        known = [abs(value) for value in each if value == value]
        if not known:
            count, last, found = 0, None, (math.nan,) * 3
            continue
        score, limit, alarm = math.fsum(known) / len(known), math.nan, math.nan
        entering = score
        if count >= rows:
            limit = mean + width * math.sqrt(variance)
            free = last is None or t - last > cooldown
            alarm = float(score > limit and free)
            last = t if alarm else last
            entering = min(score, limit)
        if count == 0:
            mean, variance = score, 0.0
        else:
            gap = entering - mean
            mean += alpha * gap
            variance = (1.0 - alpha) * (variance + alpha * gap * gap)
        count += 1
        found = score, limit, alarm
    return found


@op.kernel
def kernel(a, b, c, lo, hi, score, limit, alarm, params, state, ints):
    rows, width, cooldown = int(params[0]), params[1], int(params[2])
    alpha = 2.0 / (rows + 1.0)
    mean, variance = state[0], state[1]
    count, wait = ints[0], ints[1]
    for t in range(lo, hi):
        total, known = 0.0, 0
        if a[t] == a[t]:
            total += abs(a[t])
            known += 1
        if b[t] == b[t]:
            total += abs(b[t])
            known += 1
        if c[t] == c[t]:
            total += abs(c[t])
            known += 1
        score[t] = limit[t] = alarm[t] = math.nan
        if known == 0:
            count = wait = 0
            continue
        found = total / known
        score[t] = found
        entering = found
        wait = wait - 1 if wait > 0 else 0
        if count >= rows:
            most = mean + width * math.sqrt(variance)
            limit[t] = most
            alarm[t] = 0.0
            if found > most and wait == 0:
                alarm[t] = 1.0
                wait = cooldown + 1
            entering = min(found, most)
        if count == 0:
            mean, variance = found, 0.0
        else:
            gap = entering - mean
            mean += alpha * gap
            variance = (1.0 - alpha) * (variance + alpha * gap * gap)
        count = min(count + 1, rows)
    state[0], state[1] = mean, variance
    ints[0], ints[1] = count, wait
