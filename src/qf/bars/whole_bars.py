"""The bars that begin and end within a block of trades, made column by column.

Most bars of a fast clock do. Their sums never wait in the state: one pass over the trades writes
them where they belong, and one pass for each other column takes what it has of a bar's first or
last trade. The fold (bars/fold.py) walks through all other bars.
"""

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, PARTS_SHIFT
from qf.intrinsics import SPAN, note_nonzero, prefetch
from qf.kernel import inlined

LARGE = 4e18  # two amounts below it, added, fit an int64
AT_ONCE = 16  # trades are summed so many together: a bar's last with some that follow it


def closes_of(code):
    """Return how many bars the trade of a close code closes, at most."""
    return (code & CLOSES_BEFORE) + ((code >> 1) & 1) + (code >> PARTS_SHIFT)


def count_closes(code, start, end):
    """Return how many bars some trades close, at most, how many trades close any, and how."""
    total, kinds = 0, 0
    for t in range(start, end):
        total += code[t]
        kinds |= code[t]
    if kinds | CLOSES_WITH == CLOSES_WITH:
        return total >> 1, total >> 1, kinds
    closes, closing = 0, 0
    for t in range(start, end):
        closes += closes_of(code[t])
        closing += 1 if code[t] != 0 else 0
    return closes, closing, kinds


def note_closes(code, t, hi, places, at, end, room):
    """Write the trades from t on that close a bar to the places at..end-1; there are as many.

    Before `room`, the places from `end` on may be written to.
    """
    while at < end and t + SPAN <= hi and at + SPAN <= room:
        at += note_nonzero(code, t, places, at)
        t += SPAN
    while at < end:
        places[at] = t  # stays where it is one: bars end where no processor could guess
        at += 1 if code[t] != 0 else 0
        t += 1


def sums_fit(price_ticks, size_lots, worth, start, end):
    """Say whether no sum over any of some trades can leave the int64."""
    prices, sizes, values = 0, 0, 0  # an OR is at least each of its numbers; negative if one is
    for t in range(start, end):
        prices |= price_ticks[t]
        sizes |= size_lots[t]
        values |= worth[t]
    most = float(end - start) * max(float(values), float(prices) * float(sizes))
    return min(prices, sizes, values) >= 0 and most < LARGE


def fetch_close(columns, row):
    """Ask for what is read of the trade that closes a bar, and of no other."""
    event_time, processed_time, seq, mid, spread = columns
    prefetch(event_time, row)
    prefetch(processed_time, row)
    prefetch(seq, row)
    prefetch(mid, row)
    prefetch(spread, row)


@inlined
def sum_trades(trades, start, stop, count):
    """Return high, low, volume, value, weighted, buys, sells and quality of start..stop-1.

    `count` trades are read. Those from `stop` on are left out: where they are a multiple of
    AT_ONCE, no trade is summed alone.
    """
    price_ticks, size_lots, worth, direction, bits, _ = trades
    first = price_ticks[start]
    high, low, volume, value, weighted, buys, sells, quality = first, first, 0, 0, 0, 0, 0, 0
    for t in range(start, start + count):
        price, lots, part, bit = price_ticks[t], size_lots[t], worth[t], bits[t]
        sign = direction[t]
        price = price if t < stop else first
        lots = lots if t < stop else 0
        high, low = max(high, price), min(low, price)
        volume += lots
        value += part if t < stop else 0
        weighted += price * lots
        buys += lots if sign > 0 else 0
        sells += lots if sign < 0 else 0
        quality |= bit if t < stop else 0
    return high, low, volume, value, weighted, buys, sells, quality


def whole_until(places, r, end, hi):
    """Return up to where bars can be made together: not the last, nor those too near to the end."""
    upto = end - 1
    while upto > r and places[upto - 1] + AT_ONCE > hi:
        upto -= 1
    return upto


def take(column, known, places, r, upto):
    """Write what is known of the trades at some places."""
    for k in range(r, upto):
        column[k] = known[places[k]]


def put_whole_bars(
    trades, processed_time, seq, mid, spread, t, r, upto, first_id, shift,
    bar_id, open_time, close_time, feature_time, close_seq, first_row, close_row, known_row,
    open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, value_units, weighted_units,
    buy_lots, sell_lots, trade_count, quality, mid_close, spread_close,
):  # fmt: skip
    """Make the bars r..upto-1, the first from trade t on; return the trade that follows them.

    known_row says at which place each closes; with `shift` added a place is a row number.
    """
    price_ticks, _, _, _, _, event_time = trades
    for k in range(r, upto):
        stop = known_row[k] + 1
        fetch_close((event_time, processed_time, seq, mid, spread), stop - 1)
        count = (stop - t + AT_ONCE - 1) & -AT_ONCE
        high, low, lots, worth, weight, buys, sells, bits = sum_trades(trades, t, stop, count)
        first_row[k], trade_count[k], quality[k] = t, stop - t, bits
        high_ticks[k], low_ticks[k], volume_lots[k] = high, low, lots
        value_units[k], weighted_units[k] = worth, weight
        buy_lots[k], sell_lots[k] = buys, sells
        t = stop
    take(open_time, event_time, first_row, r, upto)
    take(open_ticks, price_ticks, first_row, r, upto)
    take(close_time, event_time, known_row, r, upto)
    take(close_ticks, price_ticks, known_row, r, upto)
    take(feature_time, processed_time, known_row, r, upto)
    take(close_seq, seq, known_row, r, upto)
    take(mid_close, mid, known_row, r, upto)
    take(spread_close, spread, known_row, r, upto)
    for k in range(r, upto):
        bar_id[k] = first_id + k - r
        first_row[k] += shift
        known_row[k] += shift
        close_row[k] = known_row[k]
    return t
