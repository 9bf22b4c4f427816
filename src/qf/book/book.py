"""book(tape, rule, quote_asof, …): one pass over the tape of one symbol.

Tape rows go in, four clocks come out: `tick` has a row per market print beside the book it met
(trades.py), `prints` the same of prints made outside the book, `book` a row per frame in arrival
order, `snapshot` the L2 levels at every multiple of a period (snapshots.py). On the way every
frame passes the continuity machine (continuity.py), waits until a trade may see it (sight.py), and
changes the two books (top.py, ladder.py).

What nobody reads is not computed: without a reader of trades no visible book is kept, without one
of book rows and snapshots no arrived book, without one of order flow the levels are brought up to
date per trade, not per frame.

Null rule: see trades.py and snapshots.py. Unit: prices in quote, sizes in the size unit.
Source: definition.
"""

from qf.book.continuity import (
    AS_KIND,
    BIT_TRADE_GAP,
    BREAK,
    DROP,
    EMIT,
    HOLD,
    INSIDE,
    STATE,
    SYNCED,
    TRADE_MISSING,
    VERDICT,
    open_frame,
    open_trade,
)
from qf.book.frames import RECORD_HEAD
from qf.book.one_ladder import place_ladders
from qf.book.passage import append_rows, close_rows, go_on, lose_book
from qf.book.sight import release_for_trade
from qf.book.snapshots import has_book_row, put_book_row, snapshots_until
from qf.book.state import (
    ARRIVED,
    ASOF,
    DEEP,
    DEPTH_LEVELS,
    EAGER,
    HELD,
    LAG_NS,
    LEVELS,
    NEXT_SNAPSHOT,
    PERIOD_NS,
    SEES,
    SHOWN_AT,
    SHOWS,
    TTL_NS,
    place_queues,
    state_words,
)
from qf.book.top import RULE, take_rows
from qf.book.trade_run import put_run
from qf.book.trades import (
    DEPTHS_WANTED,
    INVALID,
    NON_MARKET,
    classify,
    copy_words,
    fill_rows,
    put_trade,
    read_words,
    restart_flow,
    visible_quality,
)
from qf.intrinsics import prefetch
from qf.kernel import inlined
from qf.op import define
from qf.schema import (
    DEPTH,
    EVENT_TIME,
    FIRST_ID,
    FLAGS,
    KIND,
    LAST_ID,
    LAST_ROW,
    PREV_ID,
    PRICE,
    PROCESSED_TIME,
    SEQ,
    SIDE,
    SIZE,
    TRADE,
    VENUE_TIME,
)

# Bits of `wanted`, by the places of the outputs.
LADDER_BIT, FLOW_BIT, OTHER_LADDER_BIT, OTHER_FLOW_BIT = 1 << 2, 1 << 3, 1 << 6, 1 << 7
LEVEL_BITS = LADDER_BIT | FLOW_BIT | OTHER_LADDER_BIT | OTHER_FLOW_BIT
TRADE_BITS, BOOK_BITS, SHOWN_BITS = 255, 3 << 8, 15 << 8
ALL = -1
ROWS_AHEAD, LINE_ROWS = 64, 8  # rows that are asked for early; rows in a line of the cache

op = define(
    "book(tape: int,"
    " price_num: 1..1000000000 = 1, price_den: 1..1000000000000 = 1,"
    " size_num: 1..1000000000 = 1, size_den: 1..1000000000000 = 1,"
    " value_num: 1..1000000000000 = 1, value_den: 1..1000000000000000000 = 1,"
    " value_of: price_size|size = price_size, rule: spot|futures|none = spot,"
    " quote_asof: exchange_strict|arrival = exchange_strict, quote_lag_ms: 0..60000 = 0,"
    " levels: 1..50 = 5, book_ttl_ms: 1..3600000 = 3000, include_non_market: no|yes = no,"
    " depth_levels: 1..1000 = 20, period_ms: 1..86400000 = 500,"
    " held_words: 1024..10000000 = 65536, depth_words: 1024..10000000 = 49152,"
    " ticker_words: 1024..10000000 = 16384,"
    " words: 10..10 = 10, values: 13..13 = 13, ladder_values: 4..200 = 20,"
    " book_words: 14..14 = 14, book_values: 7..7 = 7, snapshot_words: 4..4 = 4,"
    " snapshot_values: 4..4000 = 80)"
    " -> word[words]: int, number[values], ladder[ladder_values], flow[levels];"
    " other_word[words]: int, other_number[values], other_ladder[ladder_values],"
    " other_flow[levels]; book_word[book_words]: int, book_value[book_values];"
    " snapshot[snapshot_words]: int, level[snapshot_values]",
    shape="emit",
    ints=lambda held_words, depth_words, ticker_words, **p: state_words(
        held_words, depth_words, ticker_words
    ),
    slots=lambda ladder_values, depth_levels, **p: ladder_values + 4 * depth_levels,
)
op.polars_missing("a book is a state machine over messages, not an expression over rows")
op.definition_missing("tests/book holds the dictionary model that it must equal")


def set_up(w, params, wanted, numbers):
    """Write the settings into their words; `numbers`: the wanted columns of both number outputs."""
    w[RULE], w[ASOF] = int(params[7]), int(params[8])
    w[LAG_NS], w[LEVELS] = int(params[9]) * 1000000, int(params[10])
    w[TTL_NS] = int(params[11]) * 1000000
    w[DEPTH_LEVELS], w[PERIOD_NS] = int(params[13]), int(params[14]) * 1000000
    w[SHOWN_AT] = int(params[20])
    place_queues(w, int(params[15]), int(params[16]), int(params[17]))
    w[EAGER] = 1 if wanted & (FLOW_BIT | OTHER_FLOW_BIT) != 0 else 0
    w[SEES] = 1 if wanted & TRADE_BITS != 0 else 0
    w[SHOWS] = 1 if wanted & SHOWN_BITS != 0 else 0
    w[DEEP] = 1 if wanted & LEVEL_BITS != 0 or numbers & DEPTHS_WANTED != 0 else 0
    place_ladders(w, wanted & BOOK_BITS != 0)


def ask_rows(w, tape, stride0, lo, hi, made):
    """Write how many rows each clock may get from these tape rows."""
    frames = hi - lo + (w[w[HELD] + 1] - w[w[HELD]]) // RECORD_HEAD
    made[0] = hi - lo if w[SEES] == 1 else 0
    made[1] = made[0]
    made[2] = frames if w[SHOWS] == 1 else 0
    made[3] = 0
    if hi > lo and w[SHOWS] == 1:
        # Times that run back are no tape's; they must not make more rows than there is room for.
        oldest = newest = tape[PROCESSED_TIME * stride0 + lo]
        for t in range(PROCESSED_TIME * stride0 + lo, PROCESSED_TIME * stride0 + hi):
            oldest, newest = min(oldest, tape[t]), max(newest, tape[t])
        start = w[NEXT_SNAPSHOT] if w[NEXT_SNAPSHOT] != 0 else oldest
        span = (newest - start) // w[PERIOD_NS] + 3
        each = w[TTL_NS] // w[PERIOD_NS] + 3
        made[3] = min(frames * each, max(span, 0))


def open_or_go_on(w, tape, stride0, t, kind, first):
    """Return the verdict on a frame that is no trade: decided at its first row."""
    if first:
        first_id, last_id = tape[FIRST_ID * stride0 + t], tape[LAST_ID * stride0 + t]
        prev_id = tape[PREV_ID * stride0 + t]
        w[VERDICT] = open_frame(w, w[RULE], kind, first_id, last_id, prev_id)
    return w[VERDICT]


@inlined
def walk_frame(
    ints, state, tape, stride0, t, hi, kind, alone, book_wanted, book_word, book_value, stride3, r,
    snapshot, level, stride4, s, params,
):  # fmt: skip
    """Take what this block has of a frame that is no trade; return the next rows of all three."""
    here, before, first = t, ints[STATE], ints[INSIDE] == 0
    received = tape[PROCESSED_TIME * stride0 + t]
    verdict = open_or_go_on(ints, tape, stride0, t, kind, first)
    lost = first and (verdict == BREAK or (verdict == HOLD and before == SYNCED))
    # Nobody waits for a message of which snapshots alone tell. The row of an empty one has no side.
    plain = verdict == EMIT and ints[AS_KIND] == DEPTH and tape[SIDE * stride0 + t] != 0
    # Before any of the frame is taken: of one larger than its queue, parts are before it ends.
    if first and (lost or verdict == EMIT) and ints[SHOWS] == 1 and ints[NEXT_SNAPSHOT] < received:
        s = snapshots_until(ints, state, received, snapshot, level, stride4, s, params)
    if alone and plain:
        t = take_rows(ints, ARRIVED, 1, tape, stride0, t, hi)
        ints[INSIDE] = 1 - tape[LAST_ROW * stride0 + t - 1]
        return t, r, s
    if verdict in (DROP, BREAK):
        ints[INSIDE] = 1 - tape[LAST_ROW * stride0 + t]
        t += 1
    else:
        t = append_rows(ints, tape, stride0, t, hi, first)
    if lost:
        lose_book(ints, tape, stride0, here)
    elif verdict == EMIT and ints[INSIDE] == 0:
        seq = tape[SEQ * stride0 + here]
        record, replays = close_rows(ints, kind)
        done = 2
        while done > 0:  # the frame itself, then those that it lets go on
            if done == 2 and book_wanted and has_book_row(ints):
                put_book_row(ints, record, seq, book_word, book_value, stride3, r, params)
                r += 1
            record, done = go_on(ints, record, replays, received)
    return t, r, s


def trade_flags(w, tape, stride0, t):
    """Return the trade's own quality bits."""
    flags = tape[FLAGS * stride0 + t]
    if w[TRADE_MISSING] == 1:
        flags |= BIT_TRADE_GAP
        w[TRADE_MISSING] = 0
    return flags


def fetch_ahead(tape, stride0, asked, t, alone):
    """Ask for the words of rows to come, a line of the cache of each column at a time.

    The rows before `asked` were asked for; return where those begin that were not. Where snapshots
    stand alone, some columns are not read.
    """
    asked = max(asked, t)
    while asked < t + ROWS_AHEAD:
        for field in (
            KIND, LAST_ROW, SIDE, PRICE, SIZE, PROCESSED_TIME, FIRST_ID, LAST_ID, PREV_ID,
        ):  # fmt: skip
            prefetch(tape, field * stride0 + asked)
        if not alone:
            for field in (SEQ, EVENT_TIME, VENUE_TIME, FLAGS):
                prefetch(tape, field * stride0 + asked)
        asked += LINE_ROWS
    return asked


@op.kernel
def kernel(
    tape, lo, hi, stride0, olo, olo2, olo3, olo4, stride, stride2, stride3, stride4, room, made,
    wanted, wanted_word, wanted_number, wanted_other_number, params, state, ints,
    word, number, ladder, flow, other_word, other_number, other_ladder, other_flow,
    book_word, book_value, snapshot, level,
):  # fmt: skip
    set_up(ints, params, wanted, wanted_number | wanted_other_number)
    ask_rows(ints, tape, stride0, lo, hi, made)
    if room[0] < made[0] or room[1] < made[1] or room[2] < made[2] or room[3] < made[3]:
        return -1
    by_size, keeps_all, book_wanted = params[6] == 1.0, params[12] == 1.0, wanted & BOOK_BITS != 0
    alone = ints[SEES] == 0 and ints[SHOWS] == 1 and not book_wanted
    words = read_words(wanted_word | 1, wanted_number)
    masks = (words, wanted_number, wanted & LADDER_BIT != 0, wanted & FLOW_BIT != 0)
    j, p, r, s, t, asked = olo, olo2, olo3, olo4, lo, lo
    while t < hi:
        kind, here = tape[KIND * stride0 + t], t
        received, first = tape[PROCESSED_TIME * stride0 + t], ints[INSIDE] == 0
        asked = fetch_ahead(tape, stride0, asked, t, alone)
        if kind == TRADE:
            if first:
                ints[VERDICT] = open_trade(ints, tape[FIRST_ID * stride0 + t])
            ints[INSIDE] = 1 - tape[LAST_ROW * stride0 + t]
            t += 1
            if ints[VERDICT] != EMIT:
                continue
            if ints[SHOWS] == 1 and ints[NEXT_SNAPSHOT] < received:
                s = snapshots_until(ints, state, received, snapshot, level, stride4, s, params)
            if ints[SEES] == 0:
                continue
            flags = trade_flags(ints, tape, stride0, here)
            flags |= release_for_trade(ints, tape[EVENT_TIME * stride0 + here], received)
            met = visible_quality(ints, received)
            quality = flags | met
            side = tape[SIDE * stride0 + here]
            if flags & NON_MARKET != 0 and not keeps_all:
                put_trade(
                    ints, state, other_word, other_number, other_ladder, other_flow, stride2, p,
                    here, side, quality, received, params, (ALL, ALL, True, True),
                )  # fmt: skip
                copy_words(tape, stride0, here, other_word, stride2, p, ALL, False)
                p += 1
                continue
            direction = classify(ints, side, tape[PRICE * stride0 + here], quality & INVALID == 0)
            run = 0
            if flags == 0 and side != 0 and met & INVALID == 0 and ints[INSIDE] == 0:
                run = put_run(
                    ints, state, tape, stride0, here, hi, word, number, ladder, flow, stride, j,
                    met, params, masks,
                )  # fmt: skip
            if run == 0:
                put_trade(
                    ints, state, word, number, ladder, flow, stride, j,
                    here, direction, quality, received, params, masks,
                )  # fmt: skip
                copy_words(tape, stride0, here, word, stride, j, words, False)
                restart_flow(ints)
                run = 1
            t, j = here + run, j + run
            continue
        t, r, s = walk_frame(
            ints, state, tape, stride0, t, hi, kind, alone, book_wanted, book_word, book_value,
            stride3, r, snapshot, level, stride4, s, params,
        )  # fmt: skip
    fill, every = (words, wanted_number), (ALL, ALL)
    fill_rows(word, number, stride, olo, j, by_size, fill, params)
    fill_rows(other_word, other_number, stride2, olo2, p, by_size, every, params)
    made[0], made[1] = j - olo, p - olo2
    made[2], made[3] = r - olo3, s - olo4
