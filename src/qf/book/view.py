"""The top of the book as one looks at it: K levels a side, the newest ticker laid over level 0.

Both book consumers (enrich, track) keep one view in their int64 words. The overlay never writes
into the ladder: a ticker whose id is greater than the ladder's hides the ladder levels at or
better than its prices, and the rest follow. At every change of the view the order flow of each
level is added up in whole lots (Cont, Kukanov and Stoikov 2014, price-shift rule).

Words from 0: see the names below; the ladder begins at LADDER.
"""

from qf.book.ladder import (
    LADDER_WORDS,
    NO_LEVEL,
    ladder_clear,
    ladder_set,
    level_size,
    next_level,
)
from qf.book.sync import CHECK, LOST
from qf.schema import (
    BBO,
    DEPTH,
    FLAGS,
    KIND,
    LAST_ID,
    LAST_ROW,
    NULL_INT,
    PRICE,
    PROCESSED_TIME,
    SIDE,
    SIZE,
    SNAPSHOT,
)

VALID, IN_FRAME, FRAME_KIND, BOOK_ID, TICKER_ID, LOST_BITS = 0, 1, 2, 3, 4, 5
BOOK_TIME, RESYNCED, TOUCHED, OVERLAY, TICKER_FLAGS, ALONE_BOOK = 6, 7, 8, 9, 10, 11
TICKER = 12  # bid u, bid size, ask u, ask size of the newest ticker; then the same of one arriving
COUNT = 20  # levels in the view, per side
CHANGED_U = 22  # per side, the best signed tick that changed since the view was rebuilt
FRESH = 24  # per side, the first level that changed since the consumer looked
OWN = 26  # words 26..63 belong to the consumer
ANY_LEVEL = 1 << 60
MAX_LEVELS = 64
LEVEL_U = 64  # view: signed tick of level l of side k at LEVEL_U + 64 * k + l
LEVEL_SIZE = 192
FLOW = 320  # order flow of level l since the consumer took it
LADDER = 384
VIEW_WORDS = LADDER + LADDER_WORDS
BITS = 9


def view_refresh(w, levels):
    """Rebuild what has changed of the K levels and add up each level's order flow."""
    w[TOUCHED] = 0
    first = w[RESYNCED] == 1 and w[COUNT] == 0 and w[COUNT + 1] == 0
    for k in range(2):
        changed = w[CHANGED_U + k]
        if changed != NO_LEVEL:
            w[CHANGED_U + k] = NO_LEVEL
            view_side(w, levels, k, changed, first)


def view_side(w, levels, k, changed, first):
    """Rebuild one side from its first level at or behind `changed`; those before it stay."""
    base_u = LEVEL_U + MAX_LEVELS * k
    base_size = LEVEL_SIZE + MAX_LEVELS * k
    sign = 1 - 2 * k
    count = w[COUNT + k]
    ticker = w[TICKER + 2 * k] if w[OVERLAY] == 1 else NO_LEVEL
    level = 0
    while level < count and w[base_u + level] > changed:
        level += 1
    if ticker != NO_LEVEL and level < 2:
        level = 0
    if level == 0:
        u = w[LADDER + k]
        if ticker != NO_LEVEL:
            while u != NO_LEVEL and u >= ticker:
                u = next_level(w, LADDER, k, u)
    else:
        u = next_level(w, LADDER, k, w[base_u + level - 1])
    w[FRESH + k] = min(level, w[FRESH + k])
    while level < levels:
        here = u
        if level == 0 and ticker != NO_LEVEL:
            here = ticker
            size = w[TICKER + 2 * k + 1]
        elif u != NO_LEVEL:
            size = level_size(w, LADDER, k, u)
            u = next_level(w, LADDER, k, u) if level + 1 < levels else u
        else:
            break
        old = w[base_u + level] if level < count else NO_LEVEL
        flow = size if here >= old else 0
        if here <= old:
            flow -= w[base_size + level]
        w[FLOW + level] += 0 if first else sign * flow
        w[base_u + level] = here
        w[base_size + level] = size
        level += 1
    for gone in range(level, count):
        w[FLOW + gone] -= sign * w[base_size + gone]
    w[COUNT + k] = level


def view_touch(w, k, u):
    """Note that side k has changed at signed tick u, and maybe behind it."""
    w[TOUCHED] = 1
    w[CHANGED_U + k] = max(u, w[CHANGED_U + k])


def view_reset(w):
    """Empty ladder and view; the flow up to the next trade is unknown."""
    ladder_clear(w, LADDER)
    w[VALID] = 0
    w[RESYNCED] = 1
    w[OVERLAY] = 0
    w[COUNT] = 0
    w[COUNT + 1] = 0


def view_row(w, levels, kind, side, price, size, frame_id):
    """Take one row of a book frame: a level for the ladder, or a side of the ticker."""
    if side == 0:
        return
    k = (1 - side) >> 1
    u = side * price
    if kind == BBO:
        w[TICKER + 4 + 2 * k] = u
        w[TICKER + 5 + 2 * k] = size
        return
    if frame_id != NULL_INT and kind == DEPTH and frame_id < w[BOOK_ID]:
        return
    ladder_set(w, LADDER, k, u, size)
    if kind == SNAPSHOT:
        worst = w[LADDER + 7 + k]
        w[LADDER + 7 + k] = u if worst == NO_LEVEL or u < worst else worst
    n = w[COUNT + k]
    if n < levels or u >= w[LEVEL_U + MAX_LEVELS * k + n - 1]:
        view_touch(w, k, u)


def view_close(w, levels, kind, frame_id, bits, flags):
    """Finish a frame: the ticker counts from now, the ladder has a new id, the view follows."""
    if kind == BBO:
        for i in range(4):
            if w[TICKER + i] != w[TICKER + 4 + i]:
                w[TICKER + i] = w[TICKER + 4 + i]
                view_touch(w, i >> 1, ANY_LEVEL)
        w[TICKER_ID] = frame_id
        w[TICKER_FLAGS] = flags
    else:
        if frame_id != NULL_INT and frame_id > w[BOOK_ID]:
            w[BOOK_ID] = frame_id
        w[ALONE_BOOK] = 1 if kind == SNAPSHOT and bits == 0 else 0
        if bits == 0 and w[VALID] == 0:
            w[VALID] = 1
            view_touch(w, 0, ANY_LEVEL)
            view_touch(w, 1, ANY_LEVEL)
        elif bits != 0:
            w[VALID] = 0
            w[LOST_BITS] = bits
    # A book without an id cannot be told older or newer than a ticker: no overlay then.
    overlay = 1 if w[BOOK_ID] != NULL_INT and w[TICKER_ID] > w[BOOK_ID] else 0
    if overlay != w[OVERLAY]:
        w[OVERLAY] = overlay
        view_touch(w, 0, ANY_LEVEL)
        view_touch(w, 1, ANY_LEVEL)
    if w[TOUCHED] == 1 and w[VALID] == 1:
        view_refresh(w, levels)


def view_crossed(w):
    """Say whether the best bid is at or above the best ask (signed: the sum is not negative)."""
    if w[COUNT] == 0 or w[COUNT + 1] == 0:
        return False
    return w[LEVEL_U] + w[LEVEL_U + MAX_LEVELS] >= 0


def view_unknown(w, levels):
    """Say whether a level within K is missing or outside the last snapshot's price range."""
    for k in range(2):
        n = w[COUNT + k]
        if n < levels or w[LEVEL_U + MAX_LEVELS * k + n - 1] < w[LADDER + 7 + k]:
            return True
    return False


def view_take(w, levels, stream, stride0, t):
    """Take one row of the stream that is not a trade; return 1 when it ended its frame."""
    kind = stream[KIND * stride0 + t]
    frame_id = stream[LAST_ID * stride0 + t]
    bits = stream[BITS * stride0 + t]
    if w[IN_FRAME] == 0:
        if kind == CHECK and w[VALID] == 1 and view_crossed(w) and frame_id >= w[BOOK_ID]:
            kind = SNAPSHOT
        if kind == SNAPSHOT:
            view_reset(w)
            w[BOOK_ID] = NULL_INT
        w[FRAME_KIND] = kind
    kind = w[FRAME_KIND]
    last = stream[LAST_ROW * stride0 + t]
    w[IN_FRAME] = 1 - last
    if kind == LOST:
        w[VALID] = 0
        w[LOST_BITS] = bits
        return 1
    if kind in (DEPTH, SNAPSHOT, BBO):
        price = stream[PRICE * stride0 + t]
        size = stream[SIZE * stride0 + t]
        view_row(w, levels, kind, stream[SIDE * stride0 + t], price, size, frame_id)
        if last == 1:
            # a ticker may become visible after a difference that was received later
            w[BOOK_TIME] = max(w[BOOK_TIME], stream[PROCESSED_TIME * stride0 + t])
            view_close(w, levels, kind, frame_id, bits, stream[FLAGS * stride0 + t])
    return last
