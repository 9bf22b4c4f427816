"""footprint(price_ticks, …): volume by price in a bar: its busiest price, stacked imbalances.

    rows      of height h = max(1, p0 // 10000) ticks, one basis point of the bar's first price p0;
              row(p) = p // h
    poc_price  middle of the row with the most volume (the point of control); of several the lowest
    poc_share  that row's volume over the bar's
    buy_stack  most rows on end with  bought[r] >= 3 · sold[r - 1],   bought[r] > 0
    sell_stack most rows on end with  sold[r]  >= 3 · bought[r + 1],  sold[r] > 0

An imbalance compares what lifted the offer at a price with what hit the bid one row below, so both
rows must lie between the bar's lowest and highest. A trade of unknown side has volume and no side.
A trade that a rule divides counts whole in both bars, and sets p0 only where it is alone.
Null: all four where the bar's prices reach over more than 255 rows from its first. Units: price in
quote per base, share 1, stacks rows.
Source: Steidlmayer (1986), Markets and Market Logic (point of control); definition (rows, 3 to 1).
"""

import math

from qf.op import SUM, define
from qf.price_rows import (
    BASIS_POINTS,
    BUYS,
    HIGHEST,
    LOWEST,
    MIDDLE,
    OUTSIDE,
    ROWS,
    SELLS,
    STATE_INTS,
    TOTALS,
    begin_rows,
    count_divided,
    count_trades,
    lowest_tick,
)

TIMES = 3

op = define(
    "footprint(price_ticks: int, size_lots: int, direction: int, first_row: int, close_row: int,"
    " price_num: 1..9007199254740992, price_den: 1..9007199254740992)"
    " -> poc_price, poc_share, buy_stack, sell_stack",
    shape="fold",
    lookback=lambda **_: 1,
    memory=lambda **_: 0,
    ints=lambda **_: STATE_INTS,
    tolerance=SUM,
    unit="quote/base, 1, 1, 1",
    example="footprint(price_ticks, size_lots, direction, first_row, close_row, 1, 100)",
)
op.polars_missing("a map from prices to volumes; the Polars engine reads the columns it writes")


@op.definition
def definition(
    price_ticks, size_lots, direction, first_row, close_row, price_num, price_den
):  # fmt: skip
    first, last = first_row[-1], close_row[-1]
    whole = [row for row in range(first, last + 1) if len(close_row) < 2 or row > close_row[-2]]
    height = max(1, price_ticks[(whole or [first])[0]] // BASIS_POINTS)
    start = price_ticks[(whole or [first])[0]] // height
    sides: dict[int, list[int]] = {}  # row: bought, sold, both and unknown
    for row in range(first, last + 1):
        volumes = sides.setdefault(price_ticks[row] // height, [0, 0, 0])
        volumes[0] += size_lots[row] if direction[row] > 0 else 0
        volumes[1] += size_lots[row] if direction[row] < 0 else 0
        volumes[2] += size_lots[row]
    if min(sides) < start - MIDDLE or max(sides) > start + ROWS - MIDDLE - 1:
        return math.nan, math.nan, math.nan, math.nan
    most = max(volumes[2] for volumes in sides.values())
    busiest = min(row for row, volumes in sides.items() if volumes[2] == most)
    middle = (2 * busiest * height + height - 1) * price_num / (2 * price_den)
    total = sum(volumes[2] for volumes in sides.values())
    stacks = [0, 0]
    for side, step in ((0, -1), (1, 1)):
        run = 0
        for row in range(min(sides), max(sides) + 1):
            own = sides.get(row, [0, 0, 0])[side]
            inside = min(sides) <= row + step <= max(sides)
            other = sides.get(row + step, [0, 0, 0])[1 - side]
            run = run + 1 if inside and own > 0 and own >= TIMES * other else 0
            stacks[side] = max(stacks[side], run)
    share = most / total if total else math.nan
    return middle, share, float(stacks[0]), float(stacks[1])


def longest_stack(ints, own, other, step):
    """Return the most rows on end whose volume is TIMES that of the row `step` away."""
    longest, run = 0, 0
    for place in range(ints[LOWEST], ints[HIGHEST] + 1):
        beside = place + step
        inside = beside >= ints[LOWEST] and beside <= ints[HIGHEST]
        volume = ints[own + place]
        if inside and volume > 0 and volume >= TIMES * ints[other + beside]:
            run += 1
            longest = max(longest, run)
        else:
            run = 0
    return longest


@op.kernel
def kernel(
    price_ticks, size_lots, direction, first_row, close_row, lo, hi, row, olo, ohi,
    poc_price, poc_share, buy_stack, sell_stack, params, ints,
):  # fmt: skip
    t = lo
    for o in range(olo, ohi):
        end = close_row[o] - row + lo
        t = count_trades(ints, price_ticks, size_lots, direction, t, end + 1)
        count_divided(ints, first_row[o])
        total, most, busiest = 0, -1, 0
        for place in range(ints[LOWEST], ints[HIGHEST] + 1):
            total += ints[TOTALS + place]
            if ints[TOTALS + place] > most:
                most, busiest = ints[TOTALS + place], place
        if ints[OUTSIDE] != 0 or most < 0:
            poc_price[o], poc_share[o] = math.nan, math.nan
            buy_stack[o], sell_stack[o] = math.nan, math.nan
        else:
            doubled = lowest_tick(ints, busiest) + lowest_tick(ints, busiest + 1) - 1
            poc_price[o] = doubled * params[0] / (2.0 * params[1])
            poc_share[o] = most / total if total > 0 else math.nan
            buy_stack[o] = longest_stack(ints, BUYS, SELLS, -1)
            sell_stack[o] = longest_stack(ints, SELLS, BUYS, 1)
        begin_rows(ints, close_row[o], price_ticks[end], size_lots[end], direction[end])
    count_trades(ints, price_ticks, size_lots, direction, t, hi)
