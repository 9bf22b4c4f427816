"""carry_time(quality, time, window): the bits seen within the last `window` of time.

    y[t] = OR of quality[i] over i <= t with time[t] - window < time[i]

Null rule: a missing quality counts as no bit. Unit: bits.
Source: definition.
"""

from qf.op import define
from qf.quality.carry_rows import ALIVE, BITS_IN_USE
from qf.schema import NULL_INT

op = define(
    "carry_time(quality: int, time: time, window: 1ns..30d) -> out: int",
    memory=lambda window: 0,
    ints=lambda window: ALIVE + 1,
    unit="bits",
    example='carry_time(quality, "5s")',
)
op.polars_missing("an OR over a time window has no native expression")


@op.definition
def definition(quality, time, window):
    bits = 0
    for value, when in zip(quality, time, strict=True):
        if when > time[-1] - window and value != NULL_INT:
            bits |= value
    return bits


@op.kernel
def kernel(quality, time, lo, hi, out, params, ints):
    window = int(params[0])
    alive = ints[ALIVE]
    for t in range(lo, hi):
        now = quality[t]
        if now == NULL_INT:
            now = 0
        here = time[t]
        if now | alive == 0:
            out[t] = 0
            continue
        for bit in range(BITS_IN_USE):
            if (now >> bit) & 1 == 1:
                ints[bit] = here
                alive |= 1 << bit
            elif (alive >> bit) & 1 == 1 and here - ints[bit] >= window:
                alive &= ~(1 << bit)
        out[t] = alive
    ints[ALIVE] = alive
