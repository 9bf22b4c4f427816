"""The book as it arrives: a row per frame, and L2 snapshots at every multiple of a period.

A book row is the best bid and ask after a frame that left a valid book, the newest ticker laid
over the ladder where its id is newer (and, in ticks and lots, the ladder's own best beside it).
A snapshot is the ladder's first levels at a boundary (UTC, on processed_time): the state at or
before it, written when a later message arrives. While the book is unusable, or silent longer than
its ttl, one row marks it (missing levels, quality bits) and no more are written.

Null rule: a level that does not exist is NaN. Unit: prices in quote, sizes in the size unit.
Source: definition.
"""

import math

from qf.book.continuity import BIT_UNSYNCED
from qf.book.frames import HAPPENED, RECEIVED, UPTO_ID
from qf.book.ladder import BEST_U, NO_LEVEL, ladder_read, level_size, side_at
from qf.book.one_ladder import see_arrived
from qf.book.state import (
    ARRIVED,
    DEPTH_LEVELS,
    MARKED,
    NEXT_SNAPSHOT,
    PERIOD_NS,
    SHOWN_AT,
    SHOWN_COUNT,
    SHOWN_LOTS,
    SHOWN_ROOM,
    SHOWN_U,
    TTL_NS,
)
from qf.book.top import (
    BOOK_ID,
    BOOK_TIME,
    CHANGED,
    CHANGED_TO,
    FRAME_KIND,
    LADDER_AT,
    LOST_BITS,
    VALID,
    best_lots,
    best_tick,
    is_crossed,
    is_empty,
)

STALE, CROSSED = 8, 16
LANES = 8  # numbers that are divided at once
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


def arrived_quality(w, now):
    """Return why the arrived book cannot be used at `now`; 0 when it can, and may be read."""
    b = ARRIVED
    see_arrived(w)
    if w[b + VALID] == 0:
        return w[b + LOST_BITS] if w[b + LOST_BITS] != 0 else BIT_UNSYNCED
    quality = CROSSED if is_crossed(w, b) else 0
    if is_empty(w, b):
        quality |= BIT_UNSYNCED
    if now - w[b + BOOK_TIME] > w[TTL_NS]:
        quality |= STALE
    return quality


def renew_side(w, k, state, depth, params):
    """Bring a side's first levels, and their prices and sizes among the slots, up to date.

    Levels better than every one that has changed since the last snapshot are as they were.
    """
    changed = w[ARRIVED + CHANGED + k]
    if changed == NO_LEVEL:
        return
    w[ARRIVED + CHANGED + k] = NO_LEVEL
    ticks, lots = SHOWN_U + SHOWN_ROOM * k, SHOWN_LOTS + SHOWN_ROOM * k
    s = side_at(w[ARRIVED + LADDER_AT], k)
    count = w[SHOWN_COUNT + k]
    keep = 0
    while keep < count and w[ticks + keep] > changed:
        keep += 1
    if keep < depth and w[ARRIVED + CHANGED_TO + k] == changed:
        keep = renew_level(w, k, state, keep, changed, depth, params)
    if keep == depth:
        return
    behind = w[ticks + keep - 1] - 1 if keep > 0 else w[s + BEST_U]
    count = ladder_read(w, s, behind, ticks, lots, keep, depth)
    w[SHOWN_COUNT + k] = count
    prices = w[SHOWN_AT] + 2 * k * depth
    sizes = prices + depth
    put_side(w, ticks, 1 - 2 * k, keep, count, state, prices, params[0], params[1])
    put_side(w, lots, 1, keep, count, state, sizes, params[2], params[3])
    for i in range(count, depth):
        state[prices + i] = math.nan
        state[sizes + i] = math.nan


def put_side(w, words, sign, start, stop, state, to, num, den):
    """Write some levels' words, times sign · num / den, to the slots from `to` on.

    In whole vectors, the last of which may begin before the others end: a rest is divided one by
    one, and costs more than they.
    """
    whole = start + ((stop - start) & ~(LANES - 1))
    for i in range(start, whole):
        state[to + i] = w[words + i] * sign * num / den
    for i in range(max(stop - LANES, 0), stop):
        state[to + i] = w[words + i] * sign * num / den


def renew_level(w, k, state, place, u, depth, params):
    """Let the one level that has changed, u, come, go or change its size at a place.

    Return from where levels are missing: `depth` where none is.
    """
    count = w[SHOWN_COUNT + k]
    size = level_size(w, side_at(w[ARRIVED + LADDER_AT], k), u)
    there = place < count and w[SHOWN_U + SHOWN_ROOM * k + place] == u
    if size == 0:
        if not there:
            return depth
        for i in range(place, count - 1):
            move_level(w, k, state, i + 1, i, depth)
        return count - 1
    if not there:
        last = min(count, depth - 1)
        for i in range(last, place, -1):
            move_level(w, k, state, i - 1, i, depth)
        w[SHOWN_U + SHOWN_ROOM * k + place] = u
        w[SHOWN_COUNT + k] = last + 1
    w[SHOWN_LOTS + SHOWN_ROOM * k + place] = size
    price = w[SHOWN_AT] + 2 * k * depth + place
    state[price] = u * (1 - 2 * k) * params[0] / params[1]
    state[price + depth] = size * params[2] / params[3]
    return depth


def move_level(w, k, state, start, to, depth):
    """Write what is known of the level at one place to another."""
    row = SHOWN_ROOM * k
    w[SHOWN_U + row + to] = w[SHOWN_U + row + start]
    w[SHOWN_LOTS + row + to] = w[SHOWN_LOTS + row + start]
    at = w[SHOWN_AT] + 2 * k * depth
    state[at + to] = state[at + start]
    state[at + depth + to] = state[at + depth + start]


def put_snapshot(w, state, snapshot, level, stride, j, quality, params):
    """Write one row of the snapshot clock from the arrived ladder."""
    depth = w[DEPTH_LEVELS]
    snapshot[j] = w[NEXT_SNAPSHOT]
    snapshot[2 * stride + j] = w[ARRIVED + BOOK_ID]
    snapshot[3 * stride + j] = quality
    if quality == 0:
        for k in range(2):
            renew_side(w, k, state, depth, params)
        shown = w[SHOWN_AT]
        for i in range(4 * depth):
            level[i * stride + j] = state[shown + i]
    else:
        for i in range(4 * depth):
            level[i * stride + j] = math.nan


def snapshots_until(w, state, now, snapshot, level, stride, j, params):
    """Write the snapshots at boundaries before `now`; return the next free row."""
    period = w[PERIOD_NS]
    if w[NEXT_SNAPSHOT] == 0:
        w[NEXT_SNAPSHOT] = (now + period - 1) // period * period
    while w[NEXT_SNAPSHOT] < now:
        quality = arrived_quality(w, w[NEXT_SNAPSHOT])
        if quality == 0 or w[MARKED] == 0:
            put_snapshot(w, state, snapshot, level, stride, j, quality, params)
            snapshot[stride + j] = now
            w[MARKED] = 0 if quality == 0 else 1
            j += 1
            w[NEXT_SNAPSHOT] += period
        else:
            w[NEXT_SNAPSHOT] += (now - w[NEXT_SNAPSHOT] + period - 1) // period * period
    return j


def has_book_row(w):
    """Say whether the frame just taken left a book that has a row."""
    return w[ARRIVED + VALID] == 1 and not is_empty(w, ARRIVED)


def put_book_row(w, record, seq, book, value, stride, j, params):
    """Write one row of the book clock from the arrived book."""
    b = ARRIVED
    bid = best_tick(w, b, 0)
    ask = -best_tick(w, b, 1)
    bid_lots = best_lots(w, b, 0)
    ask_lots = best_lots(w, b, 1)
    book[j] = seq
    book[stride + j] = w[record + HAPPENED]
    book[2 * stride + j] = w[record + RECEIVED]
    book[3 * stride + j] = w[b + FRAME_KIND]
    book[4 * stride + j] = w[record + UPTO_ID]
    book[5 * stride + j] = bid
    book[6 * stride + j] = bid_lots
    book[7 * stride + j] = ask
    book[8 * stride + j] = ask_lots
    book[9 * stride + j] = CROSSED if is_crossed(w, b) else 0
    for k in range(2):
        s = side_at(w[b + LADDER_AT], k)
        u = w[s + BEST_U]
        book[(10 + 2 * k) * stride + j] = u * (1 - 2 * k)
        book[(11 + 2 * k) * stride + j] = level_size(w, s, u)
    value[j] = bid * params[0] / params[1]
    value[stride + j] = bid_lots * params[2] / params[3]
    value[2 * stride + j] = ask * params[0] / params[1]
    value[3 * stride + j] = ask_lots * params[2] / params[3]
    value[4 * stride + j] = (bid + ask) * params[0] / (2.0 * params[1])
    value[5 * stride + j] = (ask - bid) * params[0] / params[1]
    fine = float(bid_lots + ask_lots)
    weighted = bid * (ask_lots / fine) + ask * (bid_lots / fine)
    value[6 * stride + j] = weighted * params[0] / params[1]
