"""decayed_rate(x, half_life): how much of x comes per second, the past fading by half in half_life.

    r[t] = b sum of x[i] e^(-b (time[t] - time[i])),  i <= t,  b = ln 2 / half_life in seconds

With x = 1 an estimate of the rate of rows, and the excitation of a Hawkes process with that kernel:
lambda = base + n decayed_rate(1, half_life) with branching ratio n, this row's own push included.
One exponential a row, whatever the past holds. Null where x is; such a row adds nothing.
Unit: the unit of x, per second of processed time.
Source: Hawkes (1971), Biometrika 58(1), 83-90; Ozaki (1979), Ann. Inst. Stat. Math. 31 (recursion).
"""

import math

from qf.missing import finite
from qf.op import SUM, define

LN2 = math.log(2.0)

op = define(
    "decayed_rate(x, time: time, half_life: 1ms..7d)",
    memory=lambda half_life: 0,
    slots=lambda half_life: 1,
    ints=lambda half_life: 1,
    tolerance=SUM,
    unit="x/s",
    example='decayed_rate(buy_volume, "10s")',
)
op.polars_missing("weights e^(b time) overflow, and a recursion has no native expression")


@op.definition
def definition(x, time, half_life):
    if x[-1] != x[-1]:
        return math.nan
    pairs = [(value, time[-1] - at) for value, at in zip(x, time, strict=True) if value == value]
    total = math.fsum(value * math.exp(-LN2 * age / half_life) for value, age in pairs)
    return total * LN2 / (half_life / 1e9)


@op.kernel
def kernel(x, time, lo, hi, out, params, state, ints):
    per_ns = LN2 / params[0]
    share = LN2 / (params[0] / 1e9)
    total, before = state[0], ints[0]
    for t in range(lo, hi):
        if time[t] != before:
            total *= math.exp(-per_ns * (time[t] - before))
            before = time[t]
        value = x[t]
        total += value if value == value else 0.0
        out[t] = finite(total * share) if value == value else math.nan
    state[0], ints[0] = total, before
