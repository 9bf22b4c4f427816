"""bit_or(x, first_row, close_row): all quality bits of the bar's trades.

    y = x[first_row] | … | x[close_row]

Nulls are skipped; 0 where the bar has no value. Unit: the unit of x.
Source: definition.
"""

from qf.op import define
from qf.schema import NULL_INT

op = define(
    "bit_or(x: int, first_row: int, close_row: int) -> out: int",
    shape="fold",
    lookback=lambda: 1,
    memory=lambda: 0,
    ints=lambda: 3,
    example="bit_or(quality, first_row, close_row)",
)


@op.definition
def definition(x, first_row, close_row):
    bits = 0
    for word in x[first_row[-1] : close_row[-1] + 1]:
        bits |= word if word != NULL_INT else 0
    return bits


@op.polars
def polars(x):
    return x.bitwise_or().fill_null(0)


@op.kernel
def kernel(x, first_row, close_row, lo, hi, row, olo, ohi, out, ints):
    bits, held, closed = ints[0], ints[1], ints[2]
    t = lo
    for o in range(olo, ohi):
        end = close_row[o] - row + lo
        while t <= end:
            if x[t] != NULL_INT:
                bits |= x[t]
            t += 1
        # A divided trade is in both of its bars.
        if first_row[o] + 1 == closed and held != NULL_INT:
            bits |= held
        out[o] = bits
        bits = 0
        held = x[end]
        closed = close_row[o] + 1
    while t < hi:
        if x[t] != NULL_INT:
            bits |= x[t]
        t += 1
    ints[0], ints[1], ints[2] = bits, held, closed
