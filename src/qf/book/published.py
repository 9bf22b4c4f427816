"""published(kind, …): what the venue published last, beside each trade of the tick clock.

    v[t] = newest value of its kind that was received before trade t (lower seq)
           mark_price, index_price, settle_price, funding_rate, open_interest
    forced_buy_volume[t], forced_sell_volume[t]
         = sum of the sizes of the forced orders received since the trade before, by their side

As received: these values say nothing of the book, so no venue time decides what a trade may see.
A row of the tape holds one value (schema.PUBLISHED). A print outside the book takes nothing away:
what was forced before it counts for the next trade.
Null rule: a value is NaN before the first, and `ttl_ms` after the last (open interest, which is
asked for and not streamed, `interest_ttl_ms`); a forced volume is 0 where no order came.
Unit: prices in quote, funding_rate a fraction of the position per funding interval, open interest
and sizes in the size unit of the instrument.
Source: definition.
"""

import math

from qf.intrinsics import float_of_bits
from qf.op import define
from qf.schema import MARK, PUBLISHED

OPEN_INTEREST, FORCED = PUBLISHED["open_interest"], PUBLISHED["forced_buy_volume"]
LAST = PUBLISHED["forced_sell_volume"]
MS = 1000000

op = define(
    "published(kind: int, seq: int, side: int, price: int, processed_time: int,"
    " trade_seq: int, trade_time: int, ttl_ms: 1..3600000 = 10000,"
    " interest_ttl_ms: 1..3600000 = 60000, values: 7..7 = 7) -> value[values]",
    shape="fold",
    slots=lambda **_: 7,
    ints=lambda **_: 5,
)
op.polars_missing("the rows of the tape are none of the Polars engine's")
op.definition_missing("tests/book holds the dictionary model that it must equal")


def take(kind, side, bits, time, state, ints):
    """Remember the value of one row of the tape, if it is one of these."""
    if kind != MARK or side <= 0 or side > LAST:
        return
    if side >= FORCED:
        state[side - 1] += float_of_bits(bits)
    else:
        state[side - 1] = float_of_bits(bits)
        ints[side - 1] = time


@op.kernel
def kernel(
    kind, seq, side, price, processed_time, trade_seq, trade_time, lo, hi, olo, ohi, stride,
    value, params, state, ints,
):  # fmt: skip
    t = lo
    for o in range(olo, ohi):
        while t < hi and seq[t] < trade_seq[o]:
            take(kind[t], side[t], price[t], processed_time[t], state, ints)
            t += 1
        for place in range(FORCED - 1):
            ttl = params[1] if place == OPEN_INTEREST - 1 else params[0]
            age = trade_time[o] - ints[place]
            fresh = ints[place] != 0 and age <= ttl * MS
            value[place * stride + o] = state[place] if fresh else math.nan
        for place in range(FORCED - 1, LAST):
            value[place * stride + o] = state[place]
            state[place] = 0.0
    for rest in range(t, hi):
        take(kind[rest], side[rest], price[rest], processed_time[rest], state, ints)
