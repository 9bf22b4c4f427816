"""carry_rows(quality, rows): the bits seen in the last `rows` rows.

    y[t] = quality[t-rows+1] | … | quality[t]

A bit heals exactly when its last row has left. Null rule: a missing quality counts as no bit.
Unit: bits. Cost: one comparison per bit that is alive.
Source: definition.
"""

from qf.op import define
from qf.schema import NULL_INT

BITS_IN_USE = 15
ALIVE = 16

op = define(
    "carry_rows(quality: int, rows: 1..1000000000) -> out: int",
    memory=lambda rows: rows,
    ints=lambda rows: ALIVE + 1,
    unit="bits",
    example="carry_rows(quality, 20)",
)
op.polars_missing("an OR over rows has no native expression; the Polars engine takes bit by bit")


@op.definition
def definition(quality, rows):
    bits = 0
    for value in quality[-rows:]:
        bits |= 0 if value == NULL_INT else value
    return bits


@op.kernel
def kernel(quality, lo, hi, row, out, params, ints):
    rows = int(params[0])
    alive = ints[ALIVE]
    for t in range(lo, hi):
        now = quality[t]
        if now == NULL_INT:
            now = 0
        here = row + t - lo
        if now | alive == 0:
            out[t] = 0
            continue
        for bit in range(BITS_IN_USE):
            if (now >> bit) & 1 == 1:
                ints[bit] = here
                alive |= 1 << bit
            elif (alive >> bit) & 1 == 1 and here - ints[bit] >= rows:
                alive &= ~(1 << bit)
        out[t] = alive
    ints[ALIVE] = alive
