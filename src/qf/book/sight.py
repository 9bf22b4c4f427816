"""What a trade may see: book messages wait until it may, then change the visible book.

Under `exchange_strict` a book message is visible to a trade when it was received earlier and its
venue time is strictly smaller than the largest trade event time so far. A trade behind that time
may see what is newer than itself, and says so (out_of_order); once PATIENCE trades on end were
behind it, the venue's clock was set back: all that waits is let go, and the largest of their times
takes its place. A trade that is not newer than the last message of the visible book says so too:
when the clock was set back, or a queue was full, messages were let go before their time.

Messages wait in two queues (differences and snapshots; tickers); at a trade those that have become
visible go ahead of it in the order of update ids, differences before tickers at equal ids. A
message without a venue time gets an estimate, processed_time - offset, where offset is the
smallest (processed - event) of the timed messages so far; before any, a ticker is invisible. Under
`arrival` a message is visible quote_lag_ms after it was received.

Null rule: a trade without an event time releases nothing. Unit: none. A full queue releases its
oldest message, so that memory stays bounded when no trade comes.
Source: Lee and Ready (1991) compare with the quote strictly before the trade.
"""

from qf.book.continuity import LOST, state_bits
from qf.book.frames import (
    AFTER_ID,
    AS,
    FROM_ID,
    HAPPENED,
    LOST_AS,
    MARKS,
    QUEUE_HEAD,
    RECEIVED,
    RECORD_HEAD,
    SEEN_FROM,
    UPTO_ID,
    VENUE,
    WHOLE,
    frame_begin,
    queue_drop_front,
    queue_fits,
    queue_front,
)
from qf.book.one_ladder import let_see, let_share, step_back
from qf.book.state import (
    ASOF,
    BEHIND,
    BEHIND_TIME,
    DEPTH_TIME,
    DEPTHS,
    EAGER,
    LAG_NS,
    LEVELS,
    OFFSET,
    OFFSET_KNOWN,
    SHARES,
    STRICT,
    TICKER_TIME,
    TICKERS,
    TRADE_TIME,
    VISIBLE,
)
from qf.book.top import FOLLOWER, TOUCHED, VALID, view_refresh
from qf.schema import (
    BBO,
    BIT,
    EVENT_TIME,
    FIRST_ID,
    FLAGS,
    LAST_ID,
    NULL_INT,
    PREV_ID,
    PROCESSED_TIME,
    VENUE_TIME,
)

NO_VENUE_TIME = 1 << 14
OUT_OF_ORDER = BIT["out_of_order"]
PATIENCE = 64
ALL_TIMES = 1 << 62


def note_offset(w, event_time, processed_time):
    """Keep the smallest (processed - event) seen, the lower envelope of the clock offset."""
    if event_time != NULL_INT:
        offset = processed_time - event_time
        if w[OFFSET_KNOWN] == 0 or offset < w[OFFSET]:
            w[OFFSET] = offset
        w[OFFSET_KNOWN] = 1


def visible_from(w, kind, venue_time, processed_time):
    """Return the time that decides when a message may be seen, NULL_INT for never yet."""
    if w[ASOF] != STRICT:
        return processed_time
    if kind == LOST:
        return 0  # bad news needs no permission, and its own times are not to be trusted
    if venue_time != NULL_INT:
        return venue_time
    if w[OFFSET_KNOWN] == 0:
        # Without any offset a ticker cannot be placed; a first snapshot has nothing to overtake.
        return NULL_INT if kind == BBO else 0
    return processed_time - w[OFFSET]


def release_front(w, queue):
    """Let the visible book take the oldest record of a queue."""
    q = w[queue]
    record = queue_front(w, q)
    let_see(w, record)
    if w[record + AS] != LOST:
        w[DEPTH_TIME if queue == DEPTHS else TICKER_TIME] = w[record + SEEN_FROM]
    closed = w[record + WHOLE] == 1 and w[VISIBLE + VALID] == 1
    if w[EAGER] == 1 and closed and w[VISIBLE + TOUCHED] == 1:
        view_refresh(w, VISIBLE, w[LEVELS], True)
    queue_drop_front(w, q)


def release_visible(w, limit):
    """Release every frame seen strictly before `limit`, by update id, differences first."""
    d = w[DEPTHS]
    b = w[TICKERS]
    while True:
        depth = queue_front(w, d)
        ticker = queue_front(w, b)
        depth_ready = w[d + 1] > w[d] and w[depth + SEEN_FROM] < limit
        ticker_ready = w[b + 1] > w[b] and w[ticker + SEEN_FROM] < limit
        if depth_ready and (not ticker_ready or w[depth + UPTO_ID] <= w[ticker + UPTO_ID]):
            release_front(w, DEPTHS)
        elif ticker_ready:
            release_front(w, TICKERS)
        else:
            return


def trade_behind(w, event_time):
    """Take a trade behind the largest time so far; return the limit of what it may see."""
    limit = w[TRADE_TIME]
    w[BEHIND_TIME] = event_time if w[BEHIND] == 0 else max(w[BEHIND_TIME], event_time)
    w[BEHIND] += 1
    if w[BEHIND] == PATIENCE:
        w[TRADE_TIME], w[BEHIND] = w[BEHIND_TIME], 0
        return ALL_TIMES  # what carries the time of the wrong clock would block its queue
    return limit


def release_for_trade(w, event_time, processed_time):
    """Release what a trade with these times may see; return the quality bits of its order."""
    note_offset(w, event_time, processed_time)
    step_back(w)
    limit = processed_time - w[LAG_NS] + 1
    order = 0
    if w[ASOF] == STRICT:
        limit = w[TRADE_TIME]
        if event_time >= limit:
            w[TRADE_TIME], w[BEHIND], limit = event_time, 0, event_time
        elif event_time != NULL_INT:
            order, limit = OUT_OF_ORDER, trade_behind(w, event_time)
    if w[w[DEPTHS] + 1] > 0 or w[w[TICKERS] + 1] > 0:
        release_visible(w, limit)
    if w[SHARES] == 1 and w[VISIBLE + FOLLOWER] == 0:
        let_share(w)
    newest = max(w[DEPTH_TIME], w[TICKER_TIME])
    if w[ASOF] == STRICT and event_time != NULL_INT and event_time <= newest:
        order = OUT_OF_ORDER
    return order


def room_for(w, queue, more):
    """Make room for `more` words, releasing the oldest records; false where one is not enough."""
    q = w[queue]
    while not queue_fits(w, q, w[queue + 1], more):
        if w[q + 1] == w[q]:
            return False
        release_front(w, queue)
    return True


def record_open(w, queue, kind, tape, stride0, t):
    """Begin the record of the frame whose first row is t, for which there is room."""
    record = frame_begin(w, w[queue])
    w[record + AS] = kind
    w[record + RECEIVED] = tape[PROCESSED_TIME * stride0 + t]
    w[record + UPTO_ID] = tape[LAST_ID * stride0 + t]
    w[record + FROM_ID] = tape[FIRST_ID * stride0 + t]
    w[record + AFTER_ID] = tape[PREV_ID * stride0 + t]
    w[record + HAPPENED] = tape[EVENT_TIME * stride0 + t]
    w[record + VENUE] = tape[VENUE_TIME * stride0 + t]
    w[record + MARKS] = tape[FLAGS * stride0 + t]
    if kind == BBO and w[record + VENUE] == NULL_INT:
        w[record + MARKS] |= NO_VENUE_TIME
    w[record + LOST_AS] = state_bits(w[0])
    return record


def record_seen(w, record):
    """Write from when the record may be seen; say whether it ever may."""
    note_offset(w, w[record + HAPPENED], w[record + RECEIVED])
    w[record + SEEN_FROM] = visible_from(w, w[record + AS], w[record + VENUE], w[record + RECEIVED])
    return w[record + SEEN_FROM] != NULL_INT


def record_lost(w, record):
    """Make the newest record the bad news that the book cannot be used from now on."""
    w[record + AS] = LOST
    w[record + WHOLE] = 1
    w[record + LOST_AS] = state_bits(w[0])


def open_record(w, queue, rows):
    """Return the place of the newest record of a queue, which has `rows` levels so far."""
    q = w[queue]
    return q + QUEUE_HEAD + w[q + 1] - RECORD_HEAD - 2 * rows
