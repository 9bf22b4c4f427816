"""book_pressure(levels): which side stands heavier against the mid, near orders weighing more.

    p = (B - A) / (B + A),   B = sum of bid_size_l / (mid - bid_price_l),   l = 0 .. levels-1
                             A = sum of ask_size_l / (ask_price_l - mid)

In [-1, 1]; positive is the heavier bid. A size weighs by one over its distance in price, so a gap
in the book counts, which `book_imbalance` does not see. Null where a level is null or stands at the
mid. Unit: 1. Written out when the formula is compiled.
Source: definition; Cao, Hansch and Wang (2009), Journal of Futures Markets 29(1), weigh likewise.
"""

from qf.op import define

op = define("book_pressure(levels: 1..100 = 5)", unit="1", example="book_pressure(5)")


@op.expand
def expand(levels):
    bid = " + ".join(f"bid_size_{i} / (mid - bid_price_{i})" for i in range(levels))
    ask = " + ".join(f"ask_size_{i} / (ask_price_{i} - mid)" for i in range(levels))
    return f"(({bid}) - ({ask})) / (({bid}) + ({ask}))"
