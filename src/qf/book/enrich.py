"""enrich(paired, levels, …): every trade beside the book it met.

Paired stream in; out come the rows of the tick clock (market prints) and, apart, the prints made
outside the book (`non_market`), both with the same columns:

    words   WORDS below, int64
    values  VALUES below
    levels  bid_price, bid_size, ask_price, ask_size and ofi, K columns each; not written where
            nobody reads them

Direction is the venue's flag; where it has none: above the mid +1, below -1, at the mid the tick
rule, 0 before any evidence; the counts of the four methods are in ints[OWN..OWN+3].

Null rule: book columns are NaN while the book is unsynced, gapped, resyncing, stale or crossed,
a level that is unknown is NaN, and ofi is NaN on the first trade after a resync.
Unit: prices in quote, sizes in the instrument's size unit, book_age_ms in milliseconds.
Source: Lee and Ready (1991), Journal of Finance 46(2); Cont, Kukanov and Stoikov (2014),
Journal of Financial Econometrics 12(1).
"""

import math

from qf.book.view import (
    ALONE_BOOK,
    BITS,
    BOOK_TIME,
    COUNT,
    FLOW,
    FRESH,
    LEVEL_SIZE,
    LEVEL_U,
    LOST_BITS,
    MAX_LEVELS,
    OVERLAY,
    OWN,
    RESYNCED,
    TICKER_FLAGS,
    VALID,
    VIEW_WORDS,
    view_crossed,
    view_take,
    view_unknown,
)
from qf.op import define
from qf.schema import (
    EVENT_TIME,
    FLAGS,
    KIND,
    LAST_ID,
    PRICE,
    PROCESSED_TIME,
    SEQ,
    SIDE,
    SIZE,
    TRADE,
)

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
LADDER_BIT = 1 << 2  # the place of `ladder` among the outputs
N_SEEN = 7  # mid, spread, spread_bps, spread_ticks, weighted_mid, bid_depth, ask_depth
UNSYNCED, STALE, CROSSED, UNKNOWN_DEPTH, NON_MARKET = 1, 8, 16, 32, 64
INVALID = 31
TICKER_BIT = 1 << 14
LAST_PRICE, LAST_DIRECTION, SEEN = OWN + 4, OWN + 5, OWN + 6

op = define(
    "enrich(paired: int, levels: 1..50 = 5, book_ttl_ms: 1..3600000 = 3000,"
    " include_non_market: no|yes = no, value_of: price_size|size = price_size,"
    " price_num: 1..1000000000 = 1, price_den: 1..1000000000000 = 1,"
    " size_num: 1..1000000000 = 1, size_den: 1..1000000000000 = 1,"
    " value_num: 1..1000000000000 = 1, value_den: 1..1000000000000000000 = 1,"
    " words: 10..10 = 10, values: 13..13 = 13, level_values: 5..250 = 25)"
    " -> word[words]: int, number[values], ladder[level_values];"
    " other_word[words]: int, other_number[values], other_ladder[level_values]",
    shape="emit",
    ints=lambda **p: VIEW_WORDS,
    slots=lambda levels, **p: N_SEEN + 4 * levels,
)
op.polars_missing("a book is a state machine over messages, not an expression over rows")
op.definition_missing("tests/book holds the dictionary model that it must equal")


def classify(w, side, price, usable):
    """Return the direction and count how it was found: flag, quote, tick rule, unknown."""
    direction = side
    method = 0
    if side == 0:
        twice_mid = w[LEVEL_U] - w[LEVEL_U + MAX_LEVELS]
        method = 1
        if usable and 2 * price != twice_mid:
            direction = 1 if 2 * price > twice_mid else -1
        else:
            method = 2
            direction = w[LAST_DIRECTION]
            if w[SEEN] == 1 and price != w[LAST_PRICE]:
                direction = 1 if price > w[LAST_PRICE] else -1
            if direction == 0:
                method = 3
    w[OWN + method] += 1
    if w[SEEN] == 1 and price != w[LAST_PRICE]:
        w[LAST_DIRECTION] = 1 if price > w[LAST_PRICE] else -1
    w[LAST_PRICE] = price
    w[SEEN] = 1
    return direction


def put_trade(word, number, stride, j, paired, stride0, t, direction, quality, params):
    """Write the columns that need no book."""
    price = paired[PRICE * stride0 + t]
    size = paired[SIZE * stride0 + t]
    units = size if params[3] == 1.0 else price * size
    word[j] = paired[SEQ * stride0 + t]
    word[stride + j] = paired[EVENT_TIME * stride0 + t]
    word[2 * stride + j] = paired[PROCESSED_TIME * stride0 + t]
    word[3 * stride + j] = paired[LAST_ID * stride0 + t]
    word[4 * stride + j] = price
    word[5 * stride + j] = size
    word[6 * stride + j] = units
    word[7 * stride + j] = paired[SIDE * stride0 + t]
    word[8 * stride + j] = direction
    word[9 * stride + j] = quality
    volume = size * params[6] / params[7]
    number[j] = price * params[4] / params[5]
    number[stride + j] = volume
    number[2 * stride + j] = units * params[8] / params[9]
    number[3 * stride + j] = volume if direction > 0 else 0.0
    number[4 * stride + j] = volume if direction < 0 else 0.0


def look(w, seen, levels, params):
    """Bring the values of the levels that changed, and of the quote, up to date in `seen`."""
    price_num, price_den = params[4], params[5]
    size_num, size_den = params[6], params[7]
    for k in range(2):
        at = N_SEEN + 2 * k * levels
        sign = 1 - 2 * k
        depth = 0
        for level in range(levels):
            known = level < w[COUNT + k]
            lots = w[LEVEL_SIZE + MAX_LEVELS * k + level]
            depth += lots if known else 0
            if level >= w[FRESH + k]:
                ticks = w[LEVEL_U + MAX_LEVELS * k + level] * sign
                seen[at + level] = ticks * price_num / price_den if known else math.nan
                seen[at + levels + level] = lots * size_num / size_den if known else math.nan
        full = w[COUNT + k] == levels
        seen[5 + k] = depth * size_num / size_den if full else math.nan
        w[FRESH + k] = levels
    bid = w[LEVEL_U]
    ask = -w[LEVEL_U + MAX_LEVELS]
    bid_size = w[LEVEL_SIZE]
    ask_size = w[LEVEL_SIZE + MAX_LEVELS]
    fine = float(bid_size + ask_size)
    seen[0] = (bid + ask) * price_num / (2.0 * price_den)
    seen[1] = (ask - bid) * price_num / price_den
    seen[2] = 1e4 * seen[1] / seen[0]
    seen[3] = float(ask - bid)
    weighted = bid * (ask_size / fine) + ask * (bid_size / fine)
    seen[4] = weighted * (price_num / price_den)


def put_book(w, seen, number, stride, j, levels, received, params):
    """Write the columns of a usable book."""
    if w[FRESH] < levels or w[FRESH + 1] < levels:
        look(w, seen, levels, params)
    for i in range(7):
        number[(5 + i) * stride + j] = seen[i]
    number[12 * stride + j] = (received - w[BOOK_TIME]) / 1e6


def put_levels(w, seen, ladder, stride, j, levels, params):
    """Write the columns of each level, and its order flow since the trade before."""
    for i in range(4 * levels):
        ladder[i * stride + j] = seen[N_SEEN + i]
    at = 4 * levels
    for level in range(levels):
        flow = w[FLOW + level]
        shown = flow * params[6] / params[7] if flow != 0 else 0.0
        ladder[(at + level) * stride + j] = shown if w[RESYNCED] == 0 else math.nan


def put_nothing(number, ladder, stride, j, levels, wanted):
    """Write missing into every book column."""
    for place in range(5, 13):
        number[place * stride + j] = math.nan
    for place in range(5 * levels if wanted else 0):
        ladder[place * stride + j] = math.nan


def book_quality(w, levels, arrival_bits, received, ttl_ns):
    """Return the quality bits of the book that this trade meets."""
    bits = arrival_bits
    if w[VALID] == 0:
        bits |= w[LOST_BITS] if w[LOST_BITS] != 0 else UNSYNCED
    elif w[COUNT] == 0 or w[COUNT + 1] == 0:
        bits |= UNSYNCED
    else:
        if view_crossed(w):
            bits |= CROSSED
        if view_unknown(w, levels):
            bits |= UNKNOWN_DEPTH
        if w[OVERLAY] == 1:
            bits |= w[TICKER_FLAGS] & TICKER_BIT
    if w[VALID] == 1 and received - w[BOOK_TIME] > ttl_ns:
        bits |= STALE
    return bits


@op.kernel
def kernel(
    paired, lo, hi, stride0, olo, olo2, stride, stride2, room, made, wanted,
    params, state, ints, word, number, ladder, other_word, other_number, other_ladder,
):  # fmt: skip
    levels = int(params[0])
    ttl_ns = int(params[1]) * 1000000
    if room[0] < hi - lo or room[1] < hi - lo:
        return hi - lo
    levels_wanted = wanted & LADDER_BIT != 0
    j = olo
    other = olo2
    for t in range(lo, hi):
        if paired[KIND * stride0 + t] != TRADE:
            view_take(ints, levels, paired, stride0, t)
            continue
        received = paired[PROCESSED_TIME * stride0 + t]
        flags = paired[FLAGS * stride0 + t]
        quality = flags | book_quality(ints, levels, paired[BITS * stride0 + t], received, ttl_ns)
        usable = quality & INVALID == 0
        side = paired[SIDE * stride0 + t]
        if flags & NON_MARKET != 0 and params[2] == 0.0:
            put_trade(
                other_word, other_number, stride2, other, paired, stride0, t, side, quality, params
            )
            if usable:
                put_book(ints, state, other_number, stride2, other, levels, received, params)
                put_levels(ints, state, other_ladder, stride2, other, levels, params)
            else:
                put_nothing(other_number, other_ladder, stride2, other, levels, True)
            other += 1
            continue
        direction = classify(ints, side, paired[PRICE * stride0 + t], usable)
        put_trade(word, number, stride, j, paired, stride0, t, direction, quality, params)
        if usable:
            put_book(ints, state, number, stride, j, levels, received, params)
            if levels_wanted:
                put_levels(ints, state, ladder, stride, j, levels, params)
        else:
            put_nothing(number, ladder, stride, j, levels, levels_wanted)
        for level in range(levels):
            ints[FLOW + level] = 0
        # A book of lone snapshots has no events between them: its order flow stays unknown.
        if ints[VALID] == 1 and ints[ALONE_BOOK] == 0:
            ints[RESYNCED] = 0
        j += 1
    made[0] = j - olo
    made[1] = other - olo2
