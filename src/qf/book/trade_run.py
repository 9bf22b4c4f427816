"""Trades on end that meet one and the same book: what each may see is settled once for all.

Between two book messages trades come in runs. When one has been placed beside a usable book, those
behind it meet that book too, as long as nothing that waits becomes visible, no snapshot is due, the
book is not stale, and they are plain: one row, the next id, the venue's own side, no quality bit,
times in order. The first that is not plain ends the run and goes the long way (book.py).

Null rule: see trades.py. Unit: see trades.py. Source: definition.
"""

import math

from qf.book.continuity import COUNTS, INSIDE, TRADE_NEXT
from qf.book.frames import SEEN_FROM, queue_front
from qf.book.sight import ALL_TIMES
from qf.book.state import (
    ASOF,
    BEHIND,
    DEPTH_TIME,
    DEPTHS,
    FOUND,
    LAST_DIRECTION,
    LAST_PRICE,
    LEVELS,
    NEXT_SNAPSHOT,
    OFFSET,
    OFFSET_KNOWN,
    SHOWS,
    STRICT,
    TICKER_TIME,
    TICKERS,
    TRADE_TIME,
    TTL_NS,
    VISIBLE,
)
from qf.book.top import BOOK_TIME, LEVEL_LOTS, LEVEL_U, MAX_LEVELS, RESYNCED
from qf.book.trades import (
    AGE_AT,
    ASK_AT,
    ASK_LOTS_AT,
    BID_AT,
    BID_LOTS_AT,
    DEPTH_AT,
    DIRECTION_AT,
    INVALID,
    QUALITY_AT,
    QUOTE_SIZES,
    book_age_ms,
    depth_of,
)
from qf.kernel import inlined
from qf.schema import (
    EVENT_TIME,
    FIRST_ID,
    FLAGS,
    KIND,
    LAST_ROW,
    NULL_INT,
    PRICE,
    PROCESSED_TIME,
    SIDE,
    TRADE,
)


def same_book_until(w):
    """Return up to which venue time and which receive time trades meet the book of the last one."""
    gate = ALL_TIMES
    for queue in (DEPTHS, TICKERS):
        q = w[queue]
        if w[q + 1] > w[q]:
            gate = min(gate, w[queue_front(w, q) + SEEN_FROM])
    until = w[VISIBLE + BOOK_TIME] + w[TTL_NS]
    if w[SHOWS] == 1:
        until = min(until, w[NEXT_SNAPSHOT])
    if w[ASOF] != STRICT or w[OFFSET_KNOWN] == 0:
        until = 0
    return gate, until


@inlined
def walk_run(w, tape, stride0, t, hi, word, number, stride, j, quality, wanted):
    """Write what the walk knows of the plain trades from t on; return how many they are."""
    gate, until = same_book_until(w)
    begun, known = t, w[TRADE_NEXT]
    latest, offset = w[TRADE_TIME], w[OFFSET]
    after = max(w[DEPTH_TIME], w[TICKER_TIME])
    price, direction = w[LAST_PRICE], w[LAST_DIRECTION]
    sizes = wanted & QUOTE_SIZES != 0
    bid, bid_lots = w[VISIBLE + LEVEL_U], w[VISIBLE + LEVEL_LOTS]
    ask, ask_lots = -w[VISIBLE + LEVEL_U + MAX_LEVELS], w[VISIBLE + LEVEL_LOTS + MAX_LEVELS]
    while t < hi:
        event, received = tape[EVENT_TIME * stride0 + t], tape[PROCESSED_TIME * stride0 + t]
        side, trade_id = tape[SIDE * stride0 + t], tape[FIRST_ID * stride0 + t]
        plain = (tape[KIND * stride0 + t] == TRADE) & (tape[LAST_ROW * stride0 + t] == 1)
        plain &= (tape[FLAGS * stride0 + t] == 0) & (side != 0)
        plain &= (trade_id == known) | (trade_id == NULL_INT)
        plain &= (event >= latest) & (event > after) & (event <= gate) & (received <= until)
        if not plain:
            break
        known += 1 if trade_id != NULL_INT else 0
        latest, offset = event, min(offset, received - event)
        now = tape[PRICE * stride0 + t]
        direction = 1 if now > price else (-1 if now < price else direction)
        price = now
        word[j] = t
        word[DIRECTION_AT * stride + j] = side
        word[QUALITY_AT * stride + j] = quality
        number[BID_AT * stride + j] = bid
        number[ASK_AT * stride + j] = ask
        if sizes:
            number[BID_LOTS_AT * stride + j] = bid_lots
            number[ASK_LOTS_AT * stride + j] = ask_lots
        t += 1
        j += 1
    if t > begun:
        w[TRADE_NEXT], w[TRADE_TIME], w[OFFSET], w[BEHIND] = known, latest, offset, 0
        w[LAST_PRICE], w[LAST_DIRECTION] = price, direction
        w[COUNTS + 4 * TRADE] += t - begun
        w[FOUND] += t - begun
    return t - begun


def repeat_depths(w, tape, stride0, t, number, stride, start, stop, params):
    """Write both depths, and how old the book is, to rows start..stop-1, from tape row t on."""
    for k in range(2):
        shown = depth_of(w, k, params)
        for j in range(start, stop):
            number[(DEPTH_AT + k) * stride + j] = shown
    for j in range(start, stop):
        received = tape[PROCESSED_TIME * stride0 + t + j - start]
        number[AGE_AT * stride + j] = book_age_ms(w, received)


def repeat_levels(seen, ladder, stride, start, stop, count):
    """Write the levels of the one book that rows start..stop-1 meet."""
    for i in range(count):
        shown = seen[i]
        for j in range(start, stop):
            ladder[i * stride + j] = shown


def repeat_flow(w, flow, stride, start, stop):
    """Write the order flow of rows between which the book has not changed."""
    shown = math.nan if w[VISIBLE + RESYNCED] == 1 else 0.0
    for level in range(w[LEVELS]):
        for j in range(start, stop):
            flow[level * stride + j] = shown


@inlined
def put_run(
    w, seen, tape, stride0, t, hi, word, number, ladder, flow, stride, j, met, params, masks
):  # fmt: skip
    """Write the plain trades from t on, rows j and on; return how many they are.

    `met` is the quality of the book that the trade before them met.
    """
    wanted, ladder_wanted, flow_wanted = masks
    if met & INVALID != 0 or w[INSIDE] == 1:
        return 0
    run = walk_run(w, tape, stride0, t, hi, word, number, stride, j, met, wanted)
    if run == 0:
        return 0
    if wanted >> DEPTH_AT != 0 or ladder_wanted:
        repeat_depths(w, tape, stride0, t, number, stride, j, j + run, params)
    if ladder_wanted:
        repeat_levels(seen, ladder, stride, j, j + run, 4 * w[LEVELS])
    if flow_wanted:
        repeat_flow(w, flow, stride, j, j + run)
    return run
