"""tick_rule(price): the side of a trade by the last move of the price, +1 bought, -1 sold.

    s[t] = sign(price[t] - price[t-1]),  or s[t-1] where they are equal

0 before the price has moved: unknown. Null where the price is; the next price is compared with the
last known one. Unit: none.
Source: Holthausen, Leftwich and Mayers (1987), Journal of Financial Economics 19(2), 237-267; Lee
and Ready (1991), Journal of Finance 46(2), 733-746.
"""

import math

from qf.op import define

op = define(
    "tick_rule(price)",
    memory=lambda: 0,
    slots=lambda: 1,
    ints=lambda: 2,
    unit="1",
    example="tick_rule(price)",
)


@op.definition
def definition(price):
    if price[-1] != price[-1]:
        return math.nan
    known = [value for value in price if value == value]
    for before, after in zip(known[-2::-1], known[:0:-1], strict=True):
        if after != before:
            return 1.0 if after > before else -1.0
    return 0.0


@op.polars
def polars(price):
    import polars as pl

    move = (price - price.forward_fill().shift(1)).sign()
    side = pl.when(move != 0.0).then(move).forward_fill().fill_null(0.0)
    return pl.when(price.is_not_null()).then(side)


@op.kernel
def kernel(price, lo, hi, out, state, ints):
    before, seen, side = state[0], ints[0], ints[1]
    for t in range(lo, hi):
        value = price[t]
        out[t] = math.nan
        if value == value:
            if seen == 1 and value != before:
                side = 1 if value > before else -1
            before, seen = value, 1
            out[t] = float(side)
    state[0], ints[0], ints[1] = before, seen, side
