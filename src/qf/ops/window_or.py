"""window_or(bits, window): the quality bits set in any row of the last `window` of time.

    q[t] = OR of bits[i] over i <= t with time[i] > time[t] - window

Never null; a missing input counts as no bits. The state is the last time of each bit, so no ring
is needed. Unit: quality bits.
Source: definition.
"""

from qf.op import define
from qf.schema import NULL_INT, QUALITY
from qf.time_windows import first_row

N_BITS = len(QUALITY)

op = define(
    "window_or(bits: int, time: time, window: 1ms..7d) -> out: int",
    memory=lambda window: 0,
    ints=lambda window: N_BITS + 2,
    unit="bits",
    example='window_or(quality, "5s")',
)


@op.definition
def definition(bits, time, window):
    found = 0
    for value, moment in zip(bits, time, strict=True):
        if value != NULL_INT and moment > time[-1] - window:
            found |= value
    return found


@op.polars
def polars(bits, time, window):
    import polars as pl

    first = first_row(time, window, 1 << 40)
    row = pl.int_range(pl.len())
    found = pl.lit(0)
    for place in range(N_BITS):
        newest = pl.when(bits // (1 << place) % 2 == 1).then(row).forward_fill()
        found = found + (newest >= first).fill_null(False).cast(int) * (1 << place)
    return found


@op.kernel
def kernel(bits, time, lo, hi, out, params, ints):
    window = int(params[0])
    live, soonest = ints[N_BITS], ints[N_BITS + 1]  # bits inside; the time at which one may leave
    for t in range(lo, hi):
        now = bits[t] if bits[t] != NULL_INT else 0
        if now != 0 or (live != 0 and time[t] >= soonest):
            live |= now
            soonest = time[t] + window
            for place in range(N_BITS):
                if now >> place & 1:
                    ints[place] = time[t]
                elif live >> place & 1:
                    if time[t] - ints[place] >= window:
                        live &= ~(1 << place)
                    else:
                        soonest = min(soonest, ints[place] + window)
        out[t] = live
    ints[N_BITS], ints[N_BITS + 1] = live, soonest
