"""Volume by price of the bar in hand: the rows that a footprint is read off, in int64 words.

Rows are of height h = max(1, p0 // 10000) ticks, one basis point of the bar's first price p0, and
lie around it: MIDDLE below, MIDDLE - 1 above. A trade further out is in none, and OUTSIDE says so.
A trade that a rule divides counts whole in both of its bars, and sets p0 only where it is alone.
"""

ROWS, MIDDLE, BASIS_POINTS = 512, 256, 10_000
STARTED, HEIGHT, ORIGIN, OUTSIDE, LOWEST, HIGHEST = 0, 1, 2, 3, 4, 5
CLOSED, HELD_TICKS, HELD_LOTS, HELD_SIDE = 6, 7, 8, 9
BUYS, SELLS, TOTALS = 10, 10 + ROWS, 10 + 2 * ROWS
STATE_INTS = 10 + 3 * ROWS


def count_trade(ints, ticks, lots, side):
    """Add a trade to the open bar's rows; the first one says where they lie."""
    if ints[STARTED] == 0:
        ints[STARTED] = 1
        ints[HEIGHT] = max(1, ticks // BASIS_POINTS)
        ints[ORIGIN] = ticks // ints[HEIGHT] - MIDDLE
        ints[LOWEST], ints[HIGHEST] = ROWS, -1
    place = ticks // ints[HEIGHT] - ints[ORIGIN]
    if place < 0 or place >= ROWS:
        ints[OUTSIDE] = 1
        return
    ints[LOWEST] = min(ints[LOWEST], place)
    ints[HIGHEST] = max(ints[HIGHEST], place)
    ints[TOTALS + place] += lots
    if side > 0:
        ints[BUYS + place] += lots
    elif side < 0:
        ints[SELLS + place] += lots


def count_trades(ints, price_ticks, size_lots, direction, start, stop):
    """Add trades start..stop-1 and return where the next one stands."""
    for t in range(start, stop):
        count_trade(ints, price_ticks[t], size_lots[t], direction[t])
    return max(start, stop)


def count_divided(ints, first_row):
    """Add the last trade of the bar before where the bar that closes begins with it too."""
    if first_row + 1 == ints[CLOSED]:
        count_trade(ints, ints[HELD_TICKS], ints[HELD_LOTS], ints[HELD_SIDE])


def lowest_tick(ints, place):
    """Return the lowest price of a row in ticks; the next row's less one is its highest."""
    return (place + ints[ORIGIN]) * ints[HEIGHT]


def volumes_of(ints, place):
    """Return what was bought in a row, what was sold, and both with trades of unknown side."""
    return ints[BUYS + place], ints[SELLS + place], ints[TOTALS + place]


def begin_rows(ints, close_row, ticks, lots, side):
    """Empty the rows for the next bar, and hold the trade that closed this one."""
    for place in range(ints[LOWEST], ints[HIGHEST] + 1):
        ints[TOTALS + place] = 0
        ints[BUYS + place] = 0
        ints[SELLS + place] = 0
    ints[STARTED], ints[OUTSIDE], ints[LOWEST], ints[HIGHEST] = 0, 0, ROWS, -1
    ints[CLOSED] = close_row + 1
    ints[HELD_TICKS], ints[HELD_LOTS], ints[HELD_SIDE] = ticks, lots, side
