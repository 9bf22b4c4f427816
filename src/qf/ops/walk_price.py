"""walk_price(size, side, levels): mean price of an order of `size` that walks the book.

    p = sum(price_l take_l) / size,   take_l = min(size_l, size - take_0 - … - take_{l-1})

`side` buy takes the asks, sell the bids, from the best outward. Null where the levels shown do not
hold the size and where a level that is needed is null. Unit: quote/base. Written out when the
formula is compiled.
Source: definition (the walk of a market order).
"""

from qf.op import define

op = define(
    "walk_price(size: 1e-12..1e15, side: buy|sell, levels: 1..20 = 20)",
    unit="quote/base",
    example='walk_price(0.5, "buy", 5)',
)


@op.expand
def expand(size, side, levels):
    book = "ask" if side == "buy" else "bid"
    text = "null"
    for level in reversed(range(levels)):
        before = [f"{book}_size_{k}" for k in range(level)]
        values = [f"{book}_price_{k} * {book}_size_{k}" for k in range(level)]
        held = " + ".join([*before, f"{book}_size_{level}"])
        left = f"({size!r} - ({' + '.join(before)}))"
        value = " + ".join([*values, f"{left} * {book}_price_{level}"])
        # held >= size: the smaller one is size, but it has a unit
        mean = f"({value}) / min({held}, {size!r})" if level else f"{book}_price_0"
        text = f"where({held} >= {size!r}, {mean}, {text})"
    return text
