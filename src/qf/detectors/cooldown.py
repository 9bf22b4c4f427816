"""cooldown(condition, rows): the condition, and then not again for `rows` rows.

    alarm[t] = 1 where condition[t] holds and no alarm stands in t-rows .. t-1, else 0

Turns a score that stays above its limit into one alarm per event:
cooldown(score > lag(rolling_quantile(score, 500, 0.99), 1), 50) has a limit that follows the score.

Null where the condition is null; the wait goes on over it. Unit: a condition.
Source: definition.
"""

import math

from qf.op import define

op = define(
    "cooldown(condition, rows: 1..1000000)",
    memory=lambda rows: 0,
    ints=lambda rows: 1,
    unit="bool",
    example="cooldown(spread_bps > 2, 50)",
)
op.polars_missing("whether an alarm stands depends on the alarms before it: a state machine")


@op.definition
def definition(condition, rows):
    last, alarm = None, math.nan
    for t, holds in enumerate(condition):
        free = last is None or t - last > rows
        alarm = math.nan if holds != holds else float(holds != 0.0 and free)
        last = t if alarm == 1.0 else last
    return alarm


@op.kernel
def kernel(condition, lo, hi, out, params, ints):
    rows = int(params[0])
    wait = ints[0]
    for t in range(lo, hi):
        out[t] = 1.0 if condition[t] != 0.0 and wait == 0 else 0.0
        wait = wait - 1 if wait > 0 else 0
        if condition[t] != condition[t]:
            out[t] = math.nan
        elif out[t] == 1.0:
            wait = rows
    ints[0] = wait
