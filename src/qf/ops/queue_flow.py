"""queue_flow(price, size, traded, side): what was added to and cancelled from a best queue, net.

    net[t] = size[t] - (size[t'] - sum of traded[t'] … traded[t-1])     where the price stayed
    added = max(net, 0), cancelled = max(-net, 0);   t' = the first row that showed the queue before

`price`, `size` are the best level of `side`, `traded` the aggressive size that hits it: sell_volume
at the bid, buy_volume at the ask. A better price adds the whole new queue, a worse one cancels what
the trades left of the old one, and a row that shows the queue unchanged has 0 of both (the trades
of one sweep share a book). What is added and cancelled between two rows cancels out, so both are
lower bounds of the gross flow. Trades are taken off over at most 64 rows.

Null for the first row and while a value in it or in the row before is null. Unit: the unit of size.
Source: Cont, Stoikov and Talreja (2010), Operations Research 58(3), 549-563 (the queue's events).
"""

import math

from qf.missing import any_missing
from qf.op import SUM, define

REACH = 64  # rows over which trades are taken off one queue

op = define(
    "queue_flow(price, size, traded, side: bid|ask) -> added, cancelled",
    warmup=lambda side: 1,
    lookback=lambda side: REACH,
    memory=lambda side: REACH + 1,
    tolerance=SUM,
    unit="size",
    example='queue_flow.added(bid_price_0, bid_size_0, sell_volume, "bid")',
)


@op.definition
def definition(price, size, traded, side):
    old_price, old_size = price[-2], size[-2]
    if any_missing(price[-2:], size[-2:]):
        return math.nan, math.nan
    if (price[-1], size[-1]) == (old_price, old_size):
        return 0.0, 0.0
    hits = []
    for i in range(len(price) - 2, -1, -1):
        if (price[i], size[i]) != (old_price, old_size) or len(hits) == REACH:
            break
        hits.append(traded[i])
    if any_missing(hits):
        return math.nan, math.nan
    left = old_size - math.fsum(hits)
    if price[-1] == old_price:
        return max(size[-1] - left, 0.0), max(left - size[-1], 0.0)
    is_better = (price[-1] > old_price) == (side == "bid")
    return (size[-1], 0.0) if is_better else (0.0, max(left, 0.0))


@op.polars
def polars(price, size, traded, side):
    import polars as pl

    old_price, old_size = price.shift(1), size.shift(1)
    given = (price + old_price + size + old_size).is_not_null()
    stays = given & (price == old_price) & (size == old_size)
    stretch = (~stays).cast(int).cum_sum()
    hits, holes = traded.fill_null(0.0), traded.is_null().cast(int)
    gone = hits.cum_sum().shift(REACH, fill_value=0.0).over(stretch)
    old_holes = holes.cum_sum().shift(REACH, fill_value=0).over(stretch)
    sound = holes.cum_sum().over(stretch) == old_holes
    left = old_size - (hits.cum_sum().over(stretch) - gone).shift(1)
    better = (price > old_price) if side == "bid" else (price < old_price)
    zero = pl.lit(0.0)
    net = size - left
    added = pl.when(price == old_price).then(pl.max_horizontal(net, zero))
    added = added.when(better).then(size).otherwise(zero)
    lost = pl.when(price == old_price).then(pl.max_horizontal(-net, zero))
    lost = lost.when(better).then(zero).otherwise(pl.max_horizontal(left, zero))

    known = given & (stays | sound.shift(1))

    def told(value):
        return pl.when(known).then(pl.when(stays).then(zero).otherwise(value))

    return told(added), told(lost)


@op.kernel
def kernel(price, size, traded, lo, hi, added, cancelled, params):
    at_ask = int(params[0])
    for t in range(lo, hi):
        old_price, old_size = price[t - 1], size[t - 1]
        added[t], cancelled[t] = math.nan, math.nan
        moved = (price[t] - old_price) + (size[t] - old_size)
        if moved != moved:
            continue
        if price[t] == old_price and size[t] == old_size:
            added[t], cancelled[t] = 0.0, 0.0
            continue
        total = 0.0
        i = t - 1
        while i >= t - REACH and price[i] == old_price and size[i] == old_size:
            total += traded[i]
            i -= 1
        left = old_size - total
        if left != left:
            continue
        better = price[t] < old_price if at_ask == 1 else price[t] > old_price
        if price[t] == old_price:
            added[t], cancelled[t] = max(size[t] - left, 0.0), max(left - size[t], 0.0)
        elif better:
            added[t], cancelled[t] = size[t], 0.0
        else:
            added[t], cancelled[t] = 0.0, max(left, 0.0)
