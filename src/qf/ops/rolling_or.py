"""rolling_or(bits, rows): the quality bits set in any of the last `rows` rows.

    q[t] = bits[t-rows+1] | … | bits[t]          rows = 0 or 1: bits[t] alone

Before `rows` rows exist, over those there are. Never null; a missing input counts as no bits.
0 is what ops of unbounded memory declare: they hand on the bits of their own row only.
The state is the last row of each bit, and they are looked at when one is set or may leave.
Unit: quality bits.
Source: definition.
"""

from qf.op import define
from qf.schema import NULL_INT, QUALITY

N_BITS = len(QUALITY)

op = define(
    "rolling_or(bits: int, rows: 0..10000000) -> out: int",
    memory=lambda rows: max(rows, 1),
    ints=lambda rows: N_BITS + 2,
    unit="bits",
    example="rolling_or(quality, 20)",
)


@op.definition
def definition(bits, rows):
    found = 0
    for value in bits[-max(rows, 1) :]:
        found |= 0 if value == NULL_INT else value
    return found


@op.polars
def polars(bits, rows):
    import polars as pl

    width = max(rows, 1)
    found = pl.lit(0)
    for place in range(N_BITS):
        one = bits.fill_null(0) // (1 << place) % 2
        found = found + one.rolling_max(width, min_samples=1).cast(int) * (1 << place)
    return found


@op.kernel
def kernel(bits, lo, hi, row, out, params, ints):
    rows = max(int(params[0]), 1)
    live, soonest = ints[N_BITS], ints[N_BITS + 1]  # bits inside; the row at which one may leave
    for t in range(lo, hi):
        now = bits[t] if bits[t] != NULL_INT else 0
        at = row + t - lo
        if now != 0 or (live != 0 and at >= soonest):
            live |= now
            soonest = at + rows
            for place in range(N_BITS):
                if now >> place & 1:
                    ints[place] = at
                elif live >> place & 1:
                    if at - ints[place] >= rows:
                        live &= ~(1 << place)
                    else:
                        soonest = min(soonest, ints[place] + rows)
        out[t] = live
    ints[N_BITS], ints[N_BITS + 1] = live, soonest
