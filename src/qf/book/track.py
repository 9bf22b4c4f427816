"""track(stream, depth_levels, period_ms, …): the book as it arrives.

Two clocks come out of the clean stream. The `book` clock has a row for every frame that left a
valid book: the best bid and ask, the newest ticker laid over the ladder where its id is newer
(and, in ticks and lots, the ladder's own best beside it).
The `snapshot` clock has the ladder's first `depth_levels` levels at every multiple of the period
(UTC, on processed_time): the state at or before the boundary, written when a later message
arrives. While the book is unusable, or silent longer than its ttl, one row marks it (missing
levels, quality bits) and no more are written.

    book      words BOOK_WORDS, values BOOK_VALUES
    snapshot  words SNAPSHOT_WORDS, then bid_price, bid_size, ask_price, ask_size per level

Null rule: a level that does not exist is NaN. Unit: prices in quote, sizes in the size unit.
Source: definition.
"""

import math

from qf.book.ladder import NO_LEVEL, level_size, next_level
from qf.book.view import (
    BOOK_ID,
    BOOK_TIME,
    COUNT,
    FRAME_KIND,
    LADDER,
    LEVEL_SIZE,
    LEVEL_U,
    LOST_BITS,
    MAX_LEVELS,
    OWN,
    VALID,
    VIEW_WORDS,
    view_crossed,
    view_take,
)
from qf.op import define
from qf.schema import EVENT_TIME, KIND, LAST_ID, PROCESSED_TIME, SEQ, TRADE

BOOK_WORDS = (
    "seq",
    "event_time",
    "processed_time",
    "kind",
    "last_id",
    "bid_ticks",
    "bid_lots",
    "ask_ticks",
    "ask_lots",
    "quality",
    "ladder_bid_ticks",
    "ladder_bid_lots",
    "ladder_ask_ticks",
    "ladder_ask_lots",
)
BOOK_VALUES = ("bid_price", "bid_size", "ask_price", "ask_size", "mid", "spread", "weighted_mid")
SNAPSHOT_WORDS = ("snapshot_time", "processed_time", "last_id", "quality")
SNAPSHOT_LEVELS = ("bid_price", "bid_size", "ask_price", "ask_size")
UNSYNCED, STALE, CROSSED = 1, 8, 16
NEXT, MARKED = OWN, OWN + 1

op = define(
    "track(stream: int, depth_levels: 1..1000 = 20, period_ms: 1..86400000 = 500,"
    " book_ttl_ms: 1..3600000 = 3000, book_rows: no|yes = yes,"
    " price_num: 1..1000000000 = 1, price_den: 1..1000000000000 = 1,"
    " size_num: 1..1000000000 = 1, size_den: 1..1000000000000 = 1,"
    " book_words: 14..14 = 14, book_values: 7..7 = 7, snapshot_words: 4..4 = 4,"
    " snapshot_values: 4..4000 = 80)"
    " -> book[book_words]: int, book_value[book_values];"
    " snapshot[snapshot_words]: int, level[snapshot_values]",
    shape="emit",
    ints=lambda **p: VIEW_WORDS,
)
op.polars_missing("a book is a state machine over messages, not an expression over rows")
op.definition_missing("tests/book holds the dictionary model that it must equal")


def track_quality(w, now, ttl_ns):
    """Return why the book cannot be used at `now`; 0 when it can."""
    if w[VALID] == 0:
        return w[LOST_BITS] if w[LOST_BITS] != 0 else UNSYNCED
    quality = CROSSED if view_crossed(w) else 0
    if w[COUNT] == 0 or w[COUNT + 1] == 0:
        quality |= UNSYNCED
    if now - w[BOOK_TIME] > ttl_ns:
        quality |= STALE
    return quality


def put_snapshot(w, snapshot, level, stride, j, depth, quality, params):
    """Write one row of the snapshot clock from the ladder."""
    snapshot[j] = w[NEXT]
    snapshot[2 * stride + j] = w[BOOK_ID]
    snapshot[3 * stride + j] = quality
    for k in range(2):
        u = w[LADDER + k] if quality == 0 else NO_LEVEL
        at = 2 * k * depth
        for i in range(depth):
            known = u != NO_LEVEL
            ticks = u * (1 - 2 * k)
            price = ticks * params[4] / params[5] if known else math.nan
            size = level_size(w, LADDER, k, u) if known else 0
            level[(at + i) * stride + j] = price
            level[(at + depth + i) * stride + j] = size * params[6] / params[7] if known else price
            if known and i + 1 < depth:
                u = next_level(w, LADDER, k, u)


def put_book_row(w, book, value, stride, j, stream, stride0, t, params):
    """Write one row of the book clock from the view."""
    bid = w[LEVEL_U]
    ask = -w[LEVEL_U + MAX_LEVELS]
    bid_size = w[LEVEL_SIZE]
    ask_size = w[LEVEL_SIZE + MAX_LEVELS]
    book[j] = stream[SEQ * stride0 + t]
    book[stride + j] = stream[EVENT_TIME * stride0 + t]
    book[2 * stride + j] = stream[PROCESSED_TIME * stride0 + t]
    book[3 * stride + j] = w[FRAME_KIND]
    book[4 * stride + j] = stream[LAST_ID * stride0 + t]
    book[5 * stride + j] = bid
    book[6 * stride + j] = bid_size
    book[7 * stride + j] = ask
    book[8 * stride + j] = ask_size
    book[9 * stride + j] = CROSSED if bid >= ask else 0
    for k in range(2):
        u = w[LADDER + k]
        book[(10 + 2 * k) * stride + j] = u * (1 - 2 * k)
        book[(11 + 2 * k) * stride + j] = level_size(w, LADDER, k, u)
    value[j] = bid * params[4] / params[5]
    value[stride + j] = bid_size * params[6] / params[7]
    value[2 * stride + j] = ask * params[4] / params[5]
    value[3 * stride + j] = ask_size * params[6] / params[7]
    value[4 * stride + j] = (bid + ask) * params[4] / (2.0 * params[5])
    value[5 * stride + j] = (ask - bid) * params[4] / params[5]
    fine = float(bid_size + ask_size)
    weighted = bid * (ask_size / fine) + ask * (bid_size / fine)
    value[6 * stride + j] = weighted * params[4] / params[5]


@op.kernel
def kernel(
    stream, lo, hi, stride0, olo, olo2, stride, stride2, room, made, params, ints,
    book, book_value, snapshot, level,
):  # fmt: skip
    depth = int(params[0])
    period = int(params[1]) * 1000000
    ttl_ns = int(params[2]) * 1000000
    span = 0
    if hi > lo:
        start = ints[NEXT] if ints[NEXT] != 0 else stream[PROCESSED_TIME * stride0 + lo]
        span = (stream[PROCESSED_TIME * stride0 + hi - 1] - start) // period + 3
    need = min((hi - lo) * (ttl_ns // period + 3), max(span, 0)) + hi - lo
    if room[0] < need or room[1] < need:
        return need
    j = olo
    s = olo2
    for t in range(lo, hi):
        now = stream[PROCESSED_TIME * stride0 + t]
        if ints[NEXT] == 0:
            ints[NEXT] = (now + period - 1) // period * period
        while ints[NEXT] < now:
            quality = track_quality(ints, ints[NEXT], ttl_ns)
            if quality == 0 or ints[MARKED] == 0:
                put_snapshot(ints, snapshot, level, stride2, s, depth, quality, params)
                snapshot[stride2 + s] = now
                ints[MARKED] = 0 if quality == 0 else 1
                s += 1
                ints[NEXT] += period
            else:
                ints[NEXT] += (now - ints[NEXT] + period - 1) // period * period
        if stream[KIND * stride0 + t] == TRADE:
            continue
        closed = view_take(ints, 1, stream, stride0, t) == 1 and ints[VALID] == 1
        if closed and params[3] == 1.0 and ints[COUNT] > 0 and ints[COUNT + 1] > 0:
            put_book_row(ints, book, book_value, stride, j, stream, stride0, t, params)
            j += 1
    made[0] = j - olo
    made[1] = s - olo2
