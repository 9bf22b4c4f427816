"""book_imbalance(levels): share of bid size over ask size in the first `levels` levels.

    i = (B - A) / (B + A),   B, A = sum of bid and ask sizes over levels 0 .. levels-1

In [-1, 1]; positive is more on the bid. Null where a level is null or the levels are empty.
Unit: 1. Written out when the formula is compiled.
Source: Cont, Kukanov and Stoikov (2014), Journal of Financial Econometrics 12(1).
"""

from qf.op import define

op = define("book_imbalance(levels: 1..100 = 1)", unit="1", example="book_imbalance(5)")


@op.expand
def expand(levels):
    bid = f"sum_levels(bid_size, {levels})"
    ask = f"sum_levels(ask_size, {levels})"
    return f"({bid} - {ask}) / ({bid} + {ask})"
