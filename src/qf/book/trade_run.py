"""Trades on end that meet one and the same book: what each may see is settled once for all.

Between two book messages trades come in runs. When one meets a usable book, those behind it meet
that book too, as long as nothing that waits becomes visible, no snapshot is due, the book is not
stale, and they are plain: one row, the next id, the venue's own side, no quality bit, times in
order. They are written together with the first, whose book and times have been looked at (book.py),
eight at a time. The first that is not plain ends the run.

Null rule: see trades.py. Unit: see trades.py. Source: definition.
"""

import math

from qf.book.continuity import COUNTS, TRADE_NEXT
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
    QUALITY_AT,
    QUOTE_SIZES,
    book_age_ms,
    copy_words,
    depth_of,
    look,
    put_flow,
    restart_flow,
    turned,
)
from qf.intrinsics import (
    SPAN,
    count_bits,
    span_apart,
    span_at_least,
    span_copy,
    span_equal,
    span_fill,
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
def plain_trades(w, tape, stride0, t, gate, until, taken):
    """Say by a bit each which rows of the span at t are plain trades, where those before are.

    So many of the first, 0 or 1, have been looked at. One that was faster than any before it
    (OFFSET) is not plain: it is rare.
    """
    event, trade_id = EVENT_TIME * stride0 + t, tape[FIRST_ID * stride0 + t]
    first, step = (w[TRADE_NEXT] - taken, 1) if trade_id != NULL_INT else (NULL_INT, 0)
    after = max(w[TRADE_TIME], max(w[DEPTH_TIME], w[TICKER_TIME]) + 1)
    return taken | (
        span_equal(tape, KIND * stride0 + t, TRADE, 0)
        & span_equal(tape, LAST_ROW * stride0 + t, 1, 0)
        & span_equal(tape, FLAGS * stride0 + t, 0, 0)
        & ~span_equal(tape, SIDE * stride0 + t, 0, 0)
        & span_equal(tape, FIRST_ID * stride0 + t, first, step)
        & span_at_least(tape, event, after)
        & span_apart(tape, event, event - 1, 0)
        & ~span_at_least(tape, event, gate + 1)
        & ~span_at_least(tape, PROCESSED_TIME * stride0 + t, until + 1)
        & span_apart(tape, PROCESSED_TIME * stride0 + t, event, w[OFFSET])
    )


@inlined
def walk_run(w, tape, stride0, t, hi, word, number, stride, j, quality, masks):
    """Write the trade at t and take the plain ones behind it, rows j and on; return how many.

    In whole spans: what one has too many, the trades to come write over. Rows that are no span any
    more, at the end of a block, go the long way.
    """
    gate, until = same_book_until(w)
    begun, n, taken = t, SPAN, 1
    while n == SPAN and t + SPAN <= hi:
        plain = plain_trades(w, tape, stride0, t, gate, until, taken)
        n = count_bits(plain & ~(plain + 1))
        if n > 0:
            take_plain(w, tape, stride0, t, n, taken)
            copy_words(tape, stride0, t, word, stride, j, masks[0], True)
            span_copy(word, DIRECTION_AT * stride + j, tape, SIDE * stride0 + t)
            span_fill(word, QUALITY_AT * stride + j, quality)
            repeat_quote(w, number, stride, j, masks[1])
        t += n
        j += n
        taken = 0
    return t - begun


def take_plain(w, tape, stride0, t, n, taken):
    """Take n plain trades, the span at t or the first of it, into what trades have brought.

    So many of the first, 0 or 1, are in it already.
    """
    last, price, which = t + n - 1, PRICE * stride0 + t, (1 << n) - 1 - taken
    if n > taken:
        w[TRADE_TIME], w[BEHIND] = tape[EVENT_TIME * stride0 + last], 0
    w[TRADE_NEXT] += n - taken if tape[FIRST_ID * stride0 + t] != NULL_INT else 0
    w[COUNTS + 4 * TRADE] += n - taken
    w[FOUND] += n - taken
    # The row before is the trade before: the last change of all is in the mask that is larger.
    rose = span_apart(tape, price, price - 1, 1) & which
    fell = span_apart(tape, price - 1, price, 1) & which
    w[LAST_DIRECTION] = turned(w[LAST_DIRECTION], rose - fell)
    w[LAST_PRICE] = tape[PRICE * stride0 + last]


def repeat_quote(w, number, stride, j, wanted):
    """Write the best bid and ask in ticks, and their lots, to the span of rows from j on."""
    bid, ask = w[VISIBLE + LEVEL_U], -w[VISIBLE + LEVEL_U + MAX_LEVELS]
    span_fill(number, BID_AT * stride + j, float(bid))
    span_fill(number, ASK_AT * stride + j, float(ask))
    if wanted & QUOTE_SIZES != 0:
        bid_lots, ask_lots = w[VISIBLE + LEVEL_LOTS], w[VISIBLE + LEVEL_LOTS + MAX_LEVELS]
        span_fill(number, BID_LOTS_AT * stride + j, float(bid_lots))
        span_fill(number, ASK_LOTS_AT * stride + j, float(ask_lots))


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
    """Write the trade at t, and the plain ones behind it, to rows j and on; return how many.

    It has met a usable book, whose quality is `met` as its own. 0: there is no whole span.
    """
    _, wanted, ladder_wanted, flow_wanted = masks
    run = walk_run(w, tape, stride0, t, hi, word, number, stride, j, met, masks)
    if run == 0:
        return 0
    if wanted >> DEPTH_AT != 0 or ladder_wanted:
        look(w, seen, params)
        repeat_depths(w, tape, stride0, t, number, stride, j, j + run, params)
    if ladder_wanted:
        repeat_levels(seen, ladder, stride, j, j + run, 4 * w[LEVELS])
    if flow_wanted:
        put_flow(w, flow, stride, j, True, params)
    restart_flow(w)
    if flow_wanted:
        repeat_flow(w, flow, stride, j + 1, j + run)
    return run
