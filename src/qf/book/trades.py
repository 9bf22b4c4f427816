"""Every trade beside the book it met: the columns of the tick clock, and of the prints apart.

The walk writes what depends on the state (which row of the tape, the best bid and ask in ticks,
direction, quality); the rest is filled in afterwards, column by column, for what somebody reads.

Direction is the venue's flag; where it has none: above the mid +1, below -1, at the mid the tick
rule, 0 before any evidence; the counts of the four methods are in FOUND.

Null rule: book columns are NaN while the book is unsynced, gapped, resyncing, stale or crossed,
a level that is unknown is NaN, and ofi is NaN on the first trade after a resync.
Unit: prices in quote, sizes in the instrument's size unit, book_age_ms in milliseconds.
Source: Lee and Ready (1991), Journal of Finance 46(2); Cont, Kukanov and Stoikov (2014),
Journal of Financial Econometrics 12(1).
"""

import math

from qf.book.continuity import BIT_UNSYNCED, STATE, state_bits
from qf.book.state import (
    BID_DEPTH,
    DEEP,
    EAGER,
    FOUND,
    LAST_DIRECTION,
    LAST_PRICE,
    LEVELS,
    TRADED,
    TTL_NS,
    VISIBLE,
)
from qf.book.top import (
    ALONE_BOOK,
    BEEN_CROSSED,
    BOOK_TIME,
    COUNT,
    FLOW,
    FRESH,
    LEVEL_LOTS,
    LEVEL_U,
    LOST_BITS,
    MAX_LEVELS,
    OVERLAY,
    RESYNCED,
    TICKER_FLAGS,
    TOUCHED,
    VALID,
    depth_unknown,
    view_best,
    view_refresh,
)
from qf.intrinsics import span_copy
from qf.kernel import inlined
from qf.schema import EVENT_TIME, LAST_ID, PRICE, PROCESSED_TIME, SEQ, SIDE, SIZE

WORDS = (
    "seq",
    "event_time",
    "processed_time",
    "trade_id",
    "price_ticks",
    "size_lots",
    "value_units",
    "side",
    "direction",
    "quality",
)
VALUES = (
    "price",
    "size",
    "value",
    "buy_volume",
    "sell_volume",
    "mid",
    "spread",
    "spread_bps",
    "spread_ticks",
    "weighted_mid",
    "bid_depth",
    "ask_depth",
    "book_age_ms",
)
LEVEL_VALUES = ("bid_price", "bid_size", "ask_price", "ask_size", "ofi")
STALE, CROSSED, UNKNOWN_DEPTH, NON_MARKET = 8, 16, 32, 64
INVALID = 31
TICKER_BIT = 1 << 14
# Places of columns that the walk writes, some of them as scratch for what is filled in later.
ROW_AT, TICKS_AT, LOTS_AT, UNITS_AT, DIRECTION_AT, QUALITY_AT = 0, 4, 5, 6, 8, 9
BID_AT, ASK_AT, BID_LOTS_AT, ASK_LOTS_AT, DEPTH_AT, AGE_AT = 5, 6, 8, 9, 10, 12
PRICE_BIT, VALUE_BIT, VOLUME_BITS = 1, 4, 26  # of the number columns that are wanted
QUOTE_SIZES, DEPTHS_WANTED = 1 << 9, 3 << 10


def classify(w, side, price, usable):
    """Return the direction and count how it was found: flag, quote, tick rule, unknown."""
    direction = side
    method = 0
    if side == 0:
        twice_mid = w[VISIBLE + LEVEL_U] - w[VISIBLE + LEVEL_U + MAX_LEVELS]
        method = 1
        if usable and 2 * price != twice_mid:
            direction = 1 if 2 * price > twice_mid else -1
        else:
            method = 2
            direction = w[LAST_DIRECTION]
            if w[TRADED] == 1 and price != w[LAST_PRICE]:
                direction = 1 if price > w[LAST_PRICE] else -1
            if direction == 0:
                method = 3
    w[FOUND + method] += 1
    if w[TRADED] == 1:
        w[LAST_DIRECTION] = turned(w[LAST_DIRECTION], price - w[LAST_PRICE])
    w[LAST_PRICE], w[TRADED] = price, 1
    return direction


def turned(direction, change):
    """Return the sign of a change, `direction` where it is 0: no processor could guess which."""
    sign = (change > 0) - (change < 0)
    return sign + direction * (1 - sign * sign)


@inlined
def visible_quality(w, received):
    """Return the quality bits of the book that this trade meets, its view brought up to date."""
    b = VISIBLE
    bits = state_bits(w[STATE])
    if w[b + VALID] == 0:
        return bits | (w[b + LOST_BITS] if w[b + LOST_BITS] != 0 else BIT_UNSYNCED)
    if w[DEEP] == 0:
        view_best(w, b)
    elif w[b + TOUCHED] == 1:
        view_refresh(w, b, w[LEVELS], w[EAGER] == 1)
    if w[b + COUNT] == 0 or w[b + COUNT + 1] == 0:
        bits |= BIT_UNSYNCED
    else:
        if w[b + BEEN_CROSSED] == 1 or w[b + LEVEL_U] + w[b + LEVEL_U + MAX_LEVELS] >= 0:
            bits |= CROSSED
        if depth_unknown(w, b, w[LEVELS]):
            bits |= UNKNOWN_DEPTH
        if w[b + OVERLAY] == 1:
            bits |= w[b + TICKER_FLAGS] & TICKER_BIT
    if received - w[b + BOOK_TIME] > w[TTL_NS]:
        bits |= STALE
    return bits


def look(w, seen, params):
    """Bring the values of the levels that changed up to date in `seen`; depths in lots to w."""
    b = VISIBLE
    levels = w[LEVELS]
    if w[b + FRESH] == levels and w[b + FRESH + 1] == levels:
        return
    for k in range(2):
        at = 2 * k * levels
        sign = 1 - 2 * k
        depth = 0
        count = w[b + COUNT + k]
        for level in range(levels):
            known = level < count
            lots = w[b + LEVEL_LOTS + MAX_LEVELS * k + level]
            depth += lots if known else 0
            if level >= w[b + FRESH + k]:
                ticks = w[b + LEVEL_U + MAX_LEVELS * k + level] * sign
                seen[at + level] = ticks * params[0] / params[1] if known else math.nan
                seen[at + levels + level] = lots * params[2] / params[3] if known else math.nan
        w[BID_DEPTH + k] = depth if count == levels else -1
        w[b + FRESH + k] = levels


def put_quote(w, number, stride, j, wanted):
    """Write the best bid and ask in ticks, and their lots, where they are filled in from."""
    b = VISIBLE
    number[BID_AT * stride + j] = w[b + LEVEL_U]
    number[ASK_AT * stride + j] = -w[b + LEVEL_U + MAX_LEVELS]
    if wanted & QUOTE_SIZES != 0:
        number[BID_LOTS_AT * stride + j] = w[b + LEVEL_LOTS]
        number[ASK_LOTS_AT * stride + j] = w[b + LEVEL_LOTS + MAX_LEVELS]


def depth_of(w, k, params):
    """Return the size on the first levels of side k, NaN where one is missing."""
    lots = w[BID_DEPTH + k]
    return lots * params[2] / params[3] if lots >= 0 else math.nan


def book_age_ms(w, received):
    """Return how long ago the visible book's newest message was received."""
    return (received - w[VISIBLE + BOOK_TIME]) / 1e6


@inlined
def put_book(w, seen, number, ladder, stride, j, received, params, wanted, ladder_wanted):
    """Write what a usable book shows."""
    levels = w[LEVELS]
    put_quote(w, number, stride, j, wanted)
    if wanted >> DEPTH_AT == 0 and not ladder_wanted:
        return
    look(w, seen, params)
    for k in range(2):
        number[(DEPTH_AT + k) * stride + j] = depth_of(w, k, params)
    number[AGE_AT * stride + j] = book_age_ms(w, received)
    if ladder_wanted:
        for i in range(4 * levels):
            ladder[i * stride + j] = seen[i]


def put_nothing(w, number, ladder, stride, j, ladder_wanted):
    """Write missing into every book column."""
    for place in (BID_AT, ASK_AT, BID_LOTS_AT, ASK_LOTS_AT, DEPTH_AT, DEPTH_AT + 1, AGE_AT):
        number[place * stride + j] = math.nan
    if ladder_wanted:
        for i in range(4 * w[LEVELS]):
            ladder[i * stride + j] = math.nan


def put_flow(w, flow, stride, j, usable, params):
    """Write the order flow of each level since the trade before."""
    for level in range(w[LEVELS]):
        lots = w[VISIBLE + FLOW + level]
        shown = lots * params[2] / params[3] if lots != 0 else 0.0
        unknown = w[VISIBLE + RESYNCED] == 1 or not usable
        flow[level * stride + j] = math.nan if unknown else shown


@inlined
def put_trade(
    w, seen, word, number, ladder, flow, stride, j, t, direction, quality, received, params, masks
):  # fmt: skip
    """Write what the walk knows of one trade: row t of the tape, and the book that it meets."""
    _, wanted, ladder_wanted, flow_wanted = masks
    usable = quality & INVALID == 0
    word[DIRECTION_AT * stride + j] = direction
    word[QUALITY_AT * stride + j] = quality
    if usable:
        put_book(w, seen, number, ladder, stride, j, received, params, wanted, ladder_wanted)
    else:
        put_nothing(w, number, ladder, stride, j, ladder_wanted)
    if flow_wanted:
        put_flow(w, flow, stride, j, usable, params)


def restart_flow(w):
    """Begin the order flow up to the next trade, where somebody reads it."""
    if w[EAGER] == 0:
        return
    for level in range(w[LEVELS]):
        w[VISIBLE + FLOW + level] = 0
    # A book of lone snapshots has no events between them: its order flow stays unknown.
    if w[VISIBLE + VALID] == 1 and w[VISIBLE + ALONE_BOOK] == 0:
        w[VISIBLE + RESYNCED] = 0


def read_words(words, values):
    """Return which integer columns are read: those that are wanted, and what others need."""
    words |= 1 << TICKS_AT if values & PRICE_BIT != 0 else 0
    words |= 1 << LOTS_AT if values & VOLUME_BITS != 0 else 0
    words |= 1 << UNITS_AT if values & VALUE_BIT != 0 else 0
    return words | (1 << TICKS_AT | 1 << LOTS_AT if words >> UNITS_AT & 1 == 1 else 0)


def copy_words(tape, stride0, t, word, stride, j, words, together):
    """Copy what the integer columns have of the tape: its row t to row j, or a span `together`."""
    for place in range(8):
        if words >> place & 1 == 0 or place == UNITS_AT:
            continue
        field = SEQ
        field = EVENT_TIME if place == 1 else field
        field = PROCESSED_TIME if place == 2 else field
        field = LAST_ID if place == 3 else field
        field = PRICE if place == TICKS_AT else field
        field = SIZE if place == LOTS_AT else field
        field = SIDE if place == 7 else field
        here, there = field * stride0 + t, place * stride + j
        if together:
            span_copy(word, there, tape, here)
        else:
            word[there] = tape[here]


def fill_units(word, stride, start, stop, by_size):
    """Write the value of rows start..stop-1 in its units."""
    for j in range(start, stop):
        price = 1 if by_size else word[TICKS_AT * stride + j]
        word[UNITS_AT * stride + j] = word[LOTS_AT * stride + j] * price


def scale(word, number, stride, place, to, start, stop, num, den):
    """Write an integer column's rows, times num / den, to the column `to`: many at once."""
    for j in range(start, stop):
        number[to * stride + j] = word[place * stride + j] * num / den


def fill_prices(word, number, stride, start, stop, wanted, params):
    """Write price, size, value and the two volumes from the integer columns."""
    if wanted & PRICE_BIT != 0:
        scale(word, number, stride, TICKS_AT, 0, start, stop, params[0], params[1])
    if wanted & VALUE_BIT != 0:
        scale(word, number, stride, UNITS_AT, 2, start, stop, params[4], params[5])
    if wanted & VOLUME_BITS == 0:
        return
    scale(word, number, stride, LOTS_AT, 1, start, stop, params[2], params[3])
    for j in range(start, stop):
        direction, volume = word[DIRECTION_AT * stride + j], number[stride + j]
        number[3 * stride + j] = volume if direction > 0 else 0.0
        number[4 * stride + j] = volume if direction < 0 else 0.0


def fill_quotes(number, stride, start, stop, params, wanted):
    """Write mid, spreads and weighted mid from the bid and ask in ticks; NaN stays NaN."""
    if wanted >> BID_AT & 31 == 0:
        return
    price_num, price_den = params[0], params[1]
    for j in range(start, stop):
        bid, ask = number[BID_AT * stride + j], number[ASK_AT * stride + j]
        number[5 * stride + j] = (bid + ask) * price_num / (2.0 * price_den)
        number[6 * stride + j] = (ask - bid) * price_num / price_den
        if wanted & QUOTE_SIZES != 0:
            bid_lots, ask_lots = number[BID_LOTS_AT * stride + j], number[ASK_LOTS_AT * stride + j]
            fine = bid_lots + ask_lots
            weighted = bid * (ask_lots / fine) + ask * (bid_lots / fine)
            number[9 * stride + j] = weighted * (price_num / price_den)
        if wanted & 384 != 0:
            number[7 * stride + j] = 1e4 * number[6 * stride + j] / number[5 * stride + j]
            number[8 * stride + j] = ask - bid


def fill_rows(word, number, stride, start, stop, by_size, masks, params):
    """Fill in all that the walk left open of rows start..stop-1."""
    words, values = masks
    if words >> UNITS_AT & 1 == 1:
        fill_units(word, stride, start, stop, by_size)
    fill_prices(word, number, stride, start, stop, values, params)
    fill_quotes(number, stride, start, stop, params, values)
