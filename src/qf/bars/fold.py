"""fold(ticks, code): turn a bar rule's close codes into rows of its bar clock, in integers.

    a bar's members are the trades since the last close; with `split`, also parts of trades

Every trade, or part of one, is in exactly one bar or in the open one, so sums over bars plus the
open bar equal the tape's. quality is the OR over the members. feature_time, close_seq and
known_row are those of the trade that made the bar exist: its last member, or the next trade where
the rule closed before it; as-of joins between bar clocks go by known_row. bar_id counts bars, and
for `period_ns` also the periods without a trade. With `split`, a divided trade counts in
trade_count of every bar it has a part in, and its value is divided as its lots are.
The open bar is the int64 state, named below. The same bar in the user's units: bars/in_units.py.
Units: *_ticks, *_lots, *_units; times in ns. Null rule: where a value or a sum did not fit an
int64, value_units or weighted_units is null and quality has `undefined`.
Source: López de Prado (2018), Advances in Financial Machine Learning, section 2.3.
"""

from qf.bar_clock import CLOSES_BEFORE, CLOSES_WITH, FOREVER, lots_worth
from qf.bars.whole_bars import (
    LARGE,
    closes_of,
    count_closes,
    fetch_close,
    note_closes,
    put_whole_bars,
    sum_trades,
    sums_fit,
    whole_until,
)
from qf.op import define
from qf.schema import BIT, NULL_INT

# The open bar in `ints`; it is empty where COUNT is 0.
NEXT_ID, COUNT, LOTS, VALUE, BUY_LOTS, SELL_LOTS, WEIGHTED, QUALITY = 0, 1, 2, 3, 4, 5, 6, 7
OPEN_TICKS, HIGH_TICKS, LOW_TICKS = 8, 9, 10
OPEN_TIME, FIRST_ROW, PERIOD = 11, 12, 13
STATE_INTS = 14
BY_VALUE = 2
TOO_LARGE = -1  # a sum that did not fit
UNDEFINED_BIT = BIT["undefined"]
FEW = 3  # so many trades are put into bars one by one
AHEAD = 4  # bars: what the close of one needs is fetched so early

op = define(
    "fold(price_ticks: int, size_lots: int, tick_value_units: int, direction: int,"
    " event_time: int, processed_time: int, seq: int, tick_quality: int, mid, spread, code: int,"
    " split: none|volume|value = none, threshold_units: 0..9007199254740992 = 0,"
    " period_ns: 0..604800000000000 = 0) -> bar_id: int, open_time: int, close_time: int,"
    " feature_time: int, close_seq: int, first_row: int, close_row: int, known_row: int,"
    " open_ticks: int, high_ticks: int, low_ticks: int, close_ticks: int,"
    " volume_lots: int, value_units: int, weighted_units: int, buy_lots: int, sell_lots: int,"
    " trade_count: int, quality: int, mid_close, spread_close",
    shape="emit",
    lookback=lambda **_: 1,
    memory=lambda **_: 0,
    ints=lambda **_: STATE_INTS,
    unit="1",
)
op.polars_missing("the close codes come from a state machine; the partition law is its twin")


@op.definition
def definition(
    price_ticks, size_lots, tick_value_units, direction, event_time, processed_time, seq,
    tick_quality, mid, spread, code, split, threshold_units, period_ns,
):  # fmt: skip
    # Return all closed bars: first the members (row, lots, value) of each, then their sums.
    closed, members = [], []  # closed: (members, row of the trade that made the bar exist)
    for row, closes in enumerate(code):
        if closes & CLOSES_BEFORE and members:
            closed.append((members, row))
            members = []
        whole = (row, size_lots[row], tick_value_units[row])
        if not closes & CLOSES_WITH or split == "none":
            members.append(whole)
        else:
            for _ in range(whole[1]):  # lot by lot
                last = members.pop() if members and members[-1][0] == row else (row, 0, 0)
                members.append((row, last[1] + 1, last[2] + whole[2] // whole[1]))
                filled = sum(member[1 if split == "volume" else 2] for member in members)
                if filled >= threshold_units:
                    closed.append((members, row))
                    members = []
        if closes & CLOSES_WITH and split == "none":
            closed.append((members, row))
            members = []
    rows = []
    for members, known in closed:
        at = [member[0] for member in members]
        lots = [member[1] for member in members]
        ticks = [price_ticks[row] for row in at]
        bar_id = len(rows)
        if period_ns and rows:
            bar_id = rows[-1]["bar_id"] + event_time[at[0]] // period_ns
            bar_id -= event_time[rows[-1]["first_row"]] // period_ns
        quality = 0
        for row in at:
            quality |= tick_quality[row]
        rows.append({
            "bar_id": bar_id, "open_time": event_time[at[0]], "close_time": event_time[at[-1]],
            "feature_time": processed_time[known], "close_seq": seq[known], "first_row": at[0],
            "close_row": at[-1], "known_row": known, "open_ticks": ticks[0],
            "high_ticks": max(ticks), "low_ticks": min(ticks), "close_ticks": ticks[-1],
            "volume_lots": sum(lots), "value_units": sum(member[2] for member in members),
            "weighted_units": sum(p * n for p, n in zip(ticks, lots, strict=True)),
            "buy_lots": sum(n for row, n, _ in members if direction[row] > 0),
            "sell_lots": sum(n for row, n, _ in members if direction[row] < 0),
            "trade_count": len(at), "quality": quality,
            "mid_close": mid[at[-1]], "spread_close": spread[at[-1]],
        })  # fmt: skip
    return rows


def grown(total, more):
    """Return the sum of two amounts, TOO_LARGE where one is or where it does not fit."""
    return TOO_LARGE if total < 0 or more < 0 or total > FOREVER - more else total + more


def product(price, lots):
    """Return price · lots, TOO_LARGE where it does not fit."""
    return price * lots if float(price) * float(lots) < 9.2e18 else TOO_LARGE


def part_of(split, threshold, word, lots, worth, closes):
    """Return the lots and the value of a trade that go to the open bar, which `closes` follow."""
    per_lot = worth // max(lots, 1)
    each = threshold
    part = threshold - word[LOTS]
    if split == BY_VALUE:
        each = lots_worth(threshold, per_lot, FOREVER)
        part = lots_worth(threshold - word[VALUE], per_lot, lots)
    if closes == 1 and lots - part >= each:  # more parts than a trade may have
        part = lots - (lots - part) % each
    return part, part * per_lot if part < lots else worth


def open_bar(word, price, time, row, period):
    """Begin a bar with the facts of its first trade; number it by its period, if any."""
    if period > 0:
        number = time // period
        if word[NEXT_ID] > 0:
            word[NEXT_ID] += number - word[PERIOD] - 1
        word[PERIOD] = number
    word[OPEN_TICKS], word[OPEN_TIME], word[FIRST_ROW] = price, time, row
    word[HIGH_TICKS], word[LOW_TICKS] = price, price
    word[LOTS], word[VALUE], word[WEIGHTED], word[QUALITY] = 0, 0, 0, 0
    word[BUY_LOTS], word[SELL_LOTS] = 0, 0


def put_part(word, price, lots, worth, sign, bits):
    """Add a trade, or a part of one, to the open bar."""
    word[COUNT] += 1
    word[HIGH_TICKS], word[LOW_TICKS] = max(word[HIGH_TICKS], price), min(word[LOW_TICKS], price)
    word[LOTS] += lots
    word[VALUE] = grown(word[VALUE], worth)
    word[WEIGHTED] = grown(word[WEIGHTED], product(price, lots))
    word[BUY_LOTS] += lots if sign > 0 else 0
    word[SELL_LOTS] += lots if sign < 0 else 0
    word[QUALITY] |= bits


def put_stretch(word, trades, start, stop, row, period):
    """Add whole trades to the open bar at once; where a sum might not fit, add none and say no."""
    if word[COUNT] > 0 and not (0 <= word[VALUE] < LARGE and 0 <= word[WEIGHTED] < LARGE):
        return False
    high, low, volume, value, weighted, buys, sells, bits = sum_trades(
        trades, start, stop, stop - start
    )
    if word[COUNT] == 0:
        open_bar(word, trades[0][start], trades[5][start], row, period)
    word[COUNT] += stop - start
    word[HIGH_TICKS], word[LOW_TICKS] = max(word[HIGH_TICKS], high), min(word[LOW_TICKS], low)
    word[LOTS] += volume
    word[VALUE] += value
    word[WEIGHTED] += weighted
    word[BUY_LOTS] += buys
    word[SELL_LOTS] += sells
    word[QUALITY] |= bits
    return True


@op.kernel
def kernel(
    price_ticks, size_lots, tick_value_units, direction, event_time, processed_time, seq,
    tick_quality, mid, spread, code, lo, hi, row, olo, made, room, params, ints,
    bar_id, open_time, close_time, feature_time, close_seq, first_row, close_row, known_row,
    open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, value_units,
    weighted_units, buy_lots, sell_lots, trade_count, quality, mid_close, spread_close,
):  # fmt: skip
    closes, closing, kinds = count_closes(code, lo, hi)
    if closes > room[0]:
        return closes
    split, threshold, period = int(params[0]), int(params[1]), int(params[2])
    trades = (price_ticks, size_lots, tick_value_units, direction, tick_quality, event_time)
    fit = hi - lo > FEW and sums_fit(price_ticks, size_lots, tick_value_units, lo, hi)
    walk = lo if fit else hi  # before it, trades are put into bars one by one
    # Where the next trades that close lie stands in rows that no bar of this block has reached.
    places, n, end = known_row, olo + closes - closing, olo + closes
    if fit:
        note_closes(code, lo, hi, places, n, end, olo + room[0])
    close = places[n] if fit and n < end else hi
    plain = fit and split == 0 and period == 0 and kinds == CLOSES_WITH
    upto = whole_until(places, n, end, hi) if plain else n
    t, r = lo, olo
    while t < hi:
        if n < upto and ints[COUNT] == 0:
            t = put_whole_bars(
                trades, processed_time, seq, mid, spread, t, n, upto, ints[NEXT_ID], row - lo,
                bar_id, open_time, close_time, feature_time, close_seq, first_row, close_row,
                known_row, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, value_units,
                weighted_units, buy_lots, sell_lots, trade_count, quality, mid_close, spread_close,
            )  # fmt: skip
            ints[NEXT_ID] += upto - n
            r, n, close = upto, upto, places[upto]
        whole, before, left, stop = False, 0, 0, t
        if t >= walk:
            if n + AHEAD < end:
                fetch_close((event_time, processed_time, seq, mid, spread), places[n + AHEAD])
            left = 1 if split == 0 and close < hi and code[close] == CLOSES_WITH else 0
            stop = close + left
            whole = stop > t and put_stretch(ints, trades, t, stop, row + t - lo, period)
        lots, worth = size_lots[t], tick_value_units[t]
        if not whole:
            walk = max(walk, stop)
            stop = t + 1
            before = code[t] & CLOSES_BEFORE if ints[COUNT] > 0 else 0
            left = closes_of(code[t]) - (code[t] & CLOSES_BEFORE) + before
        at = stop - 1
        waits = not whole  # the trade, or a part of it, is still to be put into a bar
        while waits or left > 0:
            if not whole and before == 0:
                if ints[COUNT] == 0:
                    open_bar(ints, price_ticks[t], event_time[t], row + t - lo, period)
                part, part_worth = lots, worth
                if left > 0 and split > 0:
                    part, part_worth = part_of(split, threshold, ints, lots, worth, left)
                put_part(ints, price_ticks[t], part, part_worth, direction[t], tick_quality[t])
                lots, worth = lots - part, worth - part_worth
                waits = lots > 0
            if left == 0:
                continue
            last = at - before
            bar_id[r], trade_count[r] = ints[NEXT_ID], ints[COUNT]
            open_time[r], close_time[r] = ints[OPEN_TIME], event_time[last]
            feature_time[r], close_seq[r] = processed_time[at], seq[at]
            first_row[r], close_row[r] = ints[FIRST_ROW], row + last - lo
            known_row[r] = row + at - lo
            open_ticks[r], close_ticks[r] = ints[OPEN_TICKS], price_ticks[last]
            high_ticks[r], low_ticks[r] = ints[HIGH_TICKS], ints[LOW_TICKS]
            volume_lots[r], buy_lots[r], sell_lots[r] = ints[LOTS], ints[BUY_LOTS], ints[SELL_LOTS]
            value, weighted = ints[VALUE], ints[WEIGHTED]
            value_units[r] = value if value >= 0 else NULL_INT
            weighted_units[r] = weighted if weighted >= 0 else NULL_INT
            quality[r] = ints[QUALITY] | (UNDEFINED_BIT if min(value, weighted) < 0 else 0)
            mid_close[r], spread_close[r] = mid[last], spread[last]
            ints[NEXT_ID], ints[COUNT] = ints[NEXT_ID] + 1, 0
            before, left, r = 0, left - 1, r + 1
        t = stop
        if t > close:
            n += 1
            close = places[n] if n < end else hi
    made[0] = r - olo
