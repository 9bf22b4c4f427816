"""One book as one looks at it: the ladder, the newest ticker laid over it, the first K levels.

The overlay never writes into the ladder: a ticker whose id is greater than the ladder's hides the
ladder levels at or better than its prices, and the rest follow. The K levels are kept in words of
their own and brought up to date by `view_refresh`, from the first level that changed; at every
refresh the order flow of each level is added up in whole lots (Cont, Kukanov and Stoikov 2014,
price-shift rule). Who reads the best price only needs no refresh: `best_tick`, `best_lots`.

Words from offset `b`: see the names below; a ladder begins at b + LADDER, and the book's levels lie
where LADDER_AT says: a book may live by the ladder of another (one_ladder.py).
"""

from qf.book.continuity import CHECK, LOST, NO_IDS, RUN_BACK
from qf.book.frames import (
    AS,
    LOST_AS,
    MARKS,
    RECEIVED,
    RECORD_HEAD,
    ROWS,
    UPTO_ID,
    WHOLE,
)
from qf.book.ladder import (
    BEST_U,
    LADDER_WORDS,
    NO_LEVEL,
    WORST_U,
    ladder_apply,
    ladder_clear,
    ladder_holds,
    ladder_read,
    ladder_take,
    level_size,
    side_at,
)
from qf.schema import BBO, DEPTH, LAST_ID, LAST_ROW, NULL_INT, PROCESSED_TIME, SNAPSHOT

RULE = 48  # the word of the whole state that says how ids follow one another

VALID, FRAME_OPEN, FRAME_KIND, BOOK_ID, TICKER_ID, LOST_BITS = 0, 1, 2, 3, 4, 5
BOOK_TIME, RESYNCED, TOUCHED, OVERLAY, TICKER_FLAGS, ALONE_BOOK = 6, 7, 8, 9, 10, 11
TICKER = 12  # bid tick, bid lots, signed ask tick, ask lots of the newest ticker
BEEN_CROSSED = 16  # a difference has set a bid at or above an ask since the snapshot
LADDER_AT = 17  # where its levels lie: in its own ladder, or in that of the other book
FOLLOWER = 18  # the other book, where that lives by this one's ladder; 0 where it does not
COUNT = 20  # levels in the view, per side
CHANGED = 22  # per side, the best signed tick that changed since the view was rebuilt
FRESH = 24  # per side, the first level that changed since the consumer looked
CHANGED_TO = 26  # per side, the worst that changed with CHANGED; NO_LEVEL where nobody knows
ANY_LEVEL = 1 << 60
MAX_LEVELS = 64
LEVEL_U = 64  # view: signed tick of level l of side k at LEVEL_U + 64 * k + l
LEVEL_LOTS = 192
FLOW = 320  # order flow of level l since the consumer took it
OLD_U, OLD_LOTS = 384, 448  # what the levels of a side were before a refresh
LADDER = 512
BOOK_WORDS_HELD = LADDER + LADDER_WORDS


def best_tick(w, b, k):
    """Return the best signed tick of side k, the overlay included, or NO_LEVEL."""
    if w[b + OVERLAY] == 1:
        return w[b + TICKER + 2 * k]
    return w[side_at(w[b + LADDER_AT], k) + BEST_U]


def best_lots(w, b, k):
    """Return the size at the best of side k, the overlay included."""
    if w[b + OVERLAY] == 1:
        return w[b + TICKER + 2 * k + 1]
    s = side_at(w[b + LADDER_AT], k)
    return level_size(w, s, w[s + BEST_U])


def is_empty(w, b):
    """Say whether a side has no level."""
    return best_tick(w, b, 0) == NO_LEVEL or best_tick(w, b, 1) == NO_LEVEL


def is_crossed(w, b):
    """Say whether the best bid is at or above the best ask (signed: the sum is not negative).

    A ladder that once was so holds a level that is not the venue's, wherever the market goes: it
    counts as crossed until the next snapshot.
    """
    bid, ask = best_tick(w, b, 0), best_tick(w, b, 1)
    return w[b + BEEN_CROSSED] == 1 or (NO_LEVEL not in (bid, ask) and bid + ask >= 0)


def view_touch(w, b, k, u, worst):
    """Note that side k has changed between the signed ticks u and `worst`."""
    w[b + TOUCHED] = 1
    known = w[b + CHANGED_TO + k] if w[b + CHANGED + k] != NO_LEVEL else worst
    w[b + CHANGED_TO + k] = min(worst, known)
    w[b + CHANGED + k] = max(u, w[b + CHANGED + k])


def view_refresh(w, b, levels, flows):
    """Rebuild what has changed of the K levels; with `flows`, add up each level's order flow."""
    w[b + TOUCHED] = 0
    first = w[b + RESYNCED] == 1 and w[b + COUNT] == 0 and w[b + COUNT + 1] == 0
    for k in range(2):
        changed = w[b + CHANGED + k]
        if changed != NO_LEVEL:
            w[b + CHANGED + k] = NO_LEVEL
            count = w[b + COUNT + k]
            view_side(w, b, levels, k, changed, flows)
            if flows and not first:
                add_flow(w, b, k, count)


def view_side(w, b, levels, k, changed, flows):
    """Rebuild one side from its first level at or behind `changed`; those before it stay.

    With `flows`, what the levels were before lies in the words OLD_U and OLD_LOTS.
    """
    base_u = b + LEVEL_U + MAX_LEVELS * k
    base_lots = b + LEVEL_LOTS + MAX_LEVELS * k
    s = side_at(w[b + LADDER_AT], k)
    count = w[b + COUNT + k]
    ticker = w[b + TICKER + 2 * k] if w[b + OVERLAY] == 1 else NO_LEVEL
    for level in range(count if flows else 0):
        w[b + OLD_U + level] = w[base_u + level]
        w[b + OLD_LOTS + level] = w[base_lots + level]
    level = 0
    while level < count and w[base_u + level] > changed:
        level += 1
    if ticker != NO_LEVEL and level < 2:
        level = 0
    w[b + FRESH + k] = min(level, w[b + FRESH + k])
    behind = w[base_u + level - 1] - 1 if level > 0 else w[s + BEST_U]
    if level == 0 and ticker != NO_LEVEL:
        w[base_u] = ticker
        w[base_lots] = w[b + TICKER + 2 * k + 1]
        behind = min(behind, ticker - 1)
        level = 1
    w[b + COUNT + k] = ladder_read(w, s, behind, base_u, base_lots, level, levels)


def view_best(w, b):
    """Write the best level of both sides alone: whether they have changed costs more to ask."""
    for k in range(2):
        u = best_tick(w, b, k)
        w[b + LEVEL_U + MAX_LEVELS * k] = u
        w[b + LEVEL_LOTS + MAX_LEVELS * k] = best_lots(w, b, k)
        w[b + COUNT + k] = 1 if u != NO_LEVEL else 0


def add_flow(w, b, k, count):
    """Add to each level's order flow what its change means; it had `count` levels before."""
    base_u = b + LEVEL_U + MAX_LEVELS * k
    base_lots = b + LEVEL_LOTS + MAX_LEVELS * k
    sign = 1 - 2 * k
    now = w[b + COUNT + k]
    for level in range(now):
        here = w[base_u + level]
        old = w[b + OLD_U + level] if level < count else NO_LEVEL
        flow = w[base_lots + level] if here >= old else 0
        if here <= old:
            flow -= w[b + OLD_LOTS + level]
        w[b + FLOW + level] += sign * flow
    for gone in range(now, count):
        w[b + FLOW + gone] -= sign * w[b + OLD_LOTS + gone]


def depth_unknown(w, b, levels):
    """Say whether a level within K is missing or outside the last snapshot's price range."""
    for k in range(2):
        s = side_at(w[b + LADDER_AT], k)
        best, worst, more = w[s + BEST_U], w[s + WORST_U], levels
        ticker = w[b + TICKER + 2 * k] if w[b + OVERLAY] == 1 else NO_LEVEL
        if ticker != NO_LEVEL:
            if ticker < worst:
                return True
            best, more = min(best, ticker - 1), levels - 1
        if not ladder_holds(w, s, best, worst, more):
            return True
    return False


def book_reset(w, b):
    """Empty ladder and view; the flow up to the next trade is unknown."""
    ladder_clear(w, w[b + LADDER_AT])
    w[b + VALID] = 0
    w[b + BEEN_CROSSED] = 0
    w[b + RESYNCED] = 1
    w[b + OVERLAY] = 0
    w[b + COUNT] = 0
    w[b + COUNT + 1] = 0


def levels_changed(w, b, levels, bid, ask, alone):
    """Note whether the view has changed, where levels up to `bid` and `ask` were set.

    A view of no levels is one that nobody reads.
    """
    if levels == 0:
        return
    edge_bid, edge_ask = NO_LEVEL, NO_LEVEL
    if w[b + COUNT] >= levels:
        edge_bid = w[b + LEVEL_U + levels - 1]
    if w[b + COUNT + 1] >= levels:
        edge_ask = w[b + LEVEL_U + MAX_LEVELS + levels - 1]
    if bid >= edge_bid and bid != NO_LEVEL:
        view_touch(w, b, 0, bid, bid if alone else NO_LEVEL)
    if ask >= edge_ask and ask != NO_LEVEL:
        view_touch(w, b, 1, ask, ask if alone else NO_LEVEL)


def take_rows(w, b, levels, tape, stride0, t, hi):
    """Take what this block has, from row t on, of a difference message that may be applied.

    It is what `take_frame` does with its record, but for its kind: this is for a book of which
    nobody reads rows. Return the row after it; the book is closed behind the last.
    """
    frame_id, begun = tape[LAST_ID * stride0 + t], t
    if frame_id == NULL_INT or frame_id >= w[b + BOOK_ID]:
        t, bid, ask = ladder_take(w, w[b + LADDER_AT], tape, stride0, t, hi)
        levels_changed(w, b, levels, bid, ask, t - begun == 1)
    else:
        t = message_end(tape, stride0, t, hi)
    if tape[LAST_ROW * stride0 + t - 1] == 1:
        w[b + BOOK_TIME] = max(w[b + BOOK_TIME], tape[PROCESSED_TIME * stride0 + begun])
        book_close(w, b, DEPTH, frame_id, 0, 0)
    return t


def message_end(tape, stride0, t, hi):
    """Return the row after the message of row t, or hi where it is longer."""
    while t < hi and tape[LAST_ROW * stride0 + t] == 0:
        t += 1
    return min(t + 1, hi)


def take_levels(w, b, levels, kind, record):
    """Put the levels of a record into the ladder, and note for whom the view has changed."""
    bid, ask = ladder_apply(w, w[b + LADDER_AT], record + RECORD_HEAD, w[record + ROWS])
    levels_changed(w, b, levels, bid, ask, w[record + ROWS] == 1)
    if w[b + FOLLOWER] != 0:
        levels_changed(w, w[b + FOLLOWER], 1, bid, ask, w[record + ROWS] == 1)
    if kind == SNAPSHOT:
        for i in range(w[record + ROWS]):
            u = w[record + RECORD_HEAD + 2 * i]
            at = side_at(w[b + LADDER_AT], 1 if u < 0 else 0) + WORST_U
            w[at] = u if w[at] == NO_LEVEL or u < w[at] else w[at]


def take_ticker(w, b, record):
    """Take the sides of a ticker."""
    for i in range(w[record + ROWS]):
        u = w[record + RECORD_HEAD + 2 * i]
        size = w[record + RECORD_HEAD + 2 * i + 1]
        k = 1 if u < 0 else 0
        if w[b + TICKER + 2 * k] != u or w[b + TICKER + 2 * k + 1] != size:
            w[b + TICKER + 2 * k] = u
            w[b + TICKER + 2 * k + 1] = size
            view_touch(w, b, k, ANY_LEVEL, NO_LEVEL)


def book_close(w, b, kind, frame_id, bits, marks):
    """Finish a frame: the ladder has a new id, the book its state, the overlay its right."""
    if kind == BBO:
        w[b + TICKER_ID] = frame_id
        w[b + TICKER_FLAGS] = marks
    else:
        if frame_id != NULL_INT and frame_id > w[b + BOOK_ID]:
            w[b + BOOK_ID] = frame_id
        w[b + ALONE_BOOK] = 1 if kind == SNAPSHOT and bits == 0 else 0
        if bits == 0 and w[b + VALID] == 0:
            w[b + VALID] = 1
            view_touch(w, b, 0, ANY_LEVEL, NO_LEVEL)
            view_touch(w, b, 1, ANY_LEVEL, NO_LEVEL)
        elif bits != 0:
            w[b + VALID] = 0
            w[b + LOST_BITS] = bits
    if w[b + LADDER_AT] == b + LADDER and w[b + FRAME_OPEN] == 0:
        note_crossed(w, b)
    lay_over(w, b)


def note_crossed(w, b):
    """Note where the levels are crossed, as a difference message has left them."""
    # NO_LEVEL is far below every price, so an empty side is not crossed.
    at = w[b + LADDER_AT]
    if w[at + BEST_U] + w[side_at(at, 1) + BEST_U] >= 0 and w[RULE] != NO_IDS:
        w[b + BEEN_CROSSED] = 1


def lay_over(w, b):
    """Lay the newest ticker over the levels where its id is newer, take it away where not."""
    # A book without an id cannot be told older or newer than a ticker: no overlay then.
    # One that is far ahead is of the ids before the venue began them anew.
    ahead = w[b + TICKER_ID] - w[b + BOOK_ID] if w[b + BOOK_ID] != NULL_INT else 0
    overlay = 1 if 0 < ahead <= RUN_BACK else 0
    if overlay != w[b + OVERLAY]:
        w[b + OVERLAY] = overlay
        view_touch(w, b, 0, ANY_LEVEL, NO_LEVEL)
        view_touch(w, b, 1, ANY_LEVEL, NO_LEVEL)


def taken_as(w, b, record):
    """Return the kind that a book takes a record as: a snapshot mends a book that is crossed.

    A ticker waits in a queue of its own, and may come between two parts of another frame.
    """
    kind = w[record + AS]
    if kind in (LOST, BBO):
        return kind
    if w[b + FRAME_OPEN] == 1:
        return w[b + FRAME_KIND]
    mends = kind == CHECK and w[b + VALID] == 1 and w[record + UPTO_ID] >= w[b + BOOK_ID]
    return SNAPSHOT if mends and is_crossed(w, b) else kind


def take_frame(w, b, levels, kind, record):
    """Take a record (or, of one too large for its queue, the part that has come) into the book.

    Levels are set in a ladder of the book's own.
    """
    frame_id = w[record + UPTO_ID]
    if kind == LOST:
        w[b + FRAME_KIND] = LOST
        w[b + VALID] = 0
        w[b + LOST_BITS] = w[record + LOST_AS]
        return
    if w[b + FRAME_OPEN] == 0:
        if kind == SNAPSHOT:
            book_reset(w, b)
            w[b + BOOK_ID] = NULL_INT
        w[b + FRAME_KIND] = kind
    whole = w[record + WHOLE]
    if kind != BBO:
        w[b + FRAME_OPEN] = 1 - whole
    if kind == CHECK:
        return
    if kind == BBO:
        take_ticker(w, b, record)
    elif w[b + LADDER_AT] == b + LADDER and (
        kind == SNAPSHOT or frame_id == NULL_INT or frame_id >= w[b + BOOK_ID]
    ):
        take_levels(w, b, levels, kind, record)
    if whole == 1:
        # a ticker may become visible after a difference that was received later
        w[b + BOOK_TIME] = max(w[b + BOOK_TIME], w[record + RECEIVED])
        book_close(w, b, kind, frame_id, w[record + LOST_AS], w[record + MARKS])
