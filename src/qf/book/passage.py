"""A book frame's way: rows into a record, the record into the arrived book, and on to the trades.

The rows of a frame may come in several blocks, so its record stays open between them, at the end
of the queue that the frame belongs to: held back, differences and snapshots, or tickers. A frame
larger than its whole queue is taken in parts; held back, it is given up (it breaks the chain of
ids, as a lost one does).
"""

from qf.book.continuity import (
    AS_KIND,
    COUNTS,
    DROP,
    EMIT,
    HOLD,
    INSIDE,
    LAST_APPLIED,
    LOST,
    RUN_BACK,
    STATE,
    VERDICT,
    close_snapshot,
    open_depth,
    state_bits,
)
from qf.book.frames import (
    AFTER_ID,
    FROM_ID,
    LOST_AS,
    QUEUE_HEAD,
    RECEIVED,
    RECORD_HEAD,
    ROWS,
    UPTO_ID,
    WHOLE,
    frame_copy,
    frame_forget,
    frame_levels,
    queue_drop_front,
    queue_fits,
    queue_front,
)
from qf.book.one_ladder import arrive, let_see
from qf.book.sight import (
    open_record,
    record_lost,
    record_open,
    record_seen,
    release_front,
    room_for,
)
from qf.book.state import (
    DEPTHS,
    HELD,
    OPEN_ROWS,
    REPLAYING,
    SEEABLE,
    SEES,
    TICKERS,
)
from qf.book.top import RULE
from qf.schema import BBO, DEPTH, SNAPSHOT


def queue_of_frame(w):
    """Return the queue that the frame being read belongs to."""
    if w[VERDICT] == HOLD:
        return HELD
    return TICKERS if w[AS_KIND] == BBO else DEPTHS


def give_up_oldest(w, queue):
    """Remove the oldest record: trades may see it early; what is held back is lost, and counted."""
    if queue == HELD:
        queue_drop_front(w, w[HELD])
        w[COUNTS + 4 * DEPTH + 1] += 1
    else:
        release_front(w, queue)


def take_part(w, q, record):
    """Let both books take what has come of a frame that its queue cannot hold whole."""
    arrive(w, record)
    if w[SEES] == 1 and w[SEEABLE] == 1:
        let_see(w, record)
    w[record + ROWS] = 0
    w[q + 1] = record + RECORD_HEAD - q - QUEUE_HEAD


def open_rows(w, queue, tape, stride0, t):
    """Begin the record of the frame whose first row is t."""
    q = w[queue]
    while not queue_fits(w, q, w[queue + 1], RECORD_HEAD + 2):
        give_up_oldest(w, queue)
    record = record_open(w, queue, w[AS_KIND], tape, stride0, t)
    w[OPEN_ROWS] = 0
    if w[VERDICT] == EMIT and w[SEES] == 1:
        w[SEEABLE] = 1 if record_seen(w, record) else 0


def append_rows(w, tape, stride0, t, hi, first):
    """Put the rows of a book frame from t on into its record; return the row after them."""
    queue = queue_of_frame(w)
    q = w[queue]
    if first:
        open_rows(w, queue, tape, stride0, t)
    record = open_record(w, queue, w[OPEN_ROWS])
    t = frame_levels(w, q, w[queue + 1], record, tape, stride0, t, hi)
    while w[record + WHOLE] == 0 and t < hi:
        rows = w[record + ROWS]
        if not queue_fits(w, q, w[queue + 1], 2):
            if queue_front(w, q) != record:
                give_up_oldest(w, queue)
            elif queue == HELD:
                frame_forget(w, q, record)
                w[COUNTS + 4 * DEPTH + 1] += 1
                w[VERDICT] = DROP
                w[INSIDE] = 1
                return t
            else:
                take_part(w, q, record)
                rows = 0
        record = open_record(w, queue, rows)
        t = frame_levels(w, q, w[queue + 1], record, tape, stride0, t, hi)
    w[OPEN_ROWS] = w[record + ROWS]
    w[INSIDE] = 1 - w[record + WHOLE]
    return t


def close_rows(w, kind):
    """Finish a shown frame: the arrived book takes it; return its record, and whether to replay."""
    record = open_record(w, queue_of_frame(w), w[OPEN_ROWS])
    w[record + LOST_AS] = state_bits(w[STATE])
    replays = False
    if kind == SNAPSHOT and w[AS_KIND] == SNAPSHOT:
        if close_snapshot(w, w[RULE], w[record + FROM_ID], w[record + UPTO_ID]):
            w[record + LOST_AS] = 0
        else:
            replays = True
    arrive(w, record)
    return record, replays


def leave_or_forget(w, record):
    """Leave the newest record to the trades, unless none may see it."""
    if w[SEES] == 0 or w[SEEABLE] == 0:
        frame_forget(w, w[queue_of_frame(w)], record)


def lose_book(w, tape, stride0, t):
    """Tell both books that they cannot be used from this frame on."""
    room_for(w, DEPTHS, RECORD_HEAD)
    record = record_open(w, DEPTHS, LOST, tape, stride0, t)
    record_lost(w, record)
    record_seen(w, record)
    arrive(w, record)
    if w[SEES] == 0:
        frame_forget(w, w[DEPTHS], record)


def replay_next(w, received):
    """Send the oldest held frame through the rules: 0 it waits, 1 a repeat, 2 the books take it.

    It stays the oldest; what proves a hole waits for the next snapshot.
    """
    q = w[HELD]
    if w[q] == w[q + 1]:
        return 0
    record = queue_front(w, q)
    if w[record + FROM_ID] > w[LAST_APPLIED] + RUN_BACK:
        w[COUNTS + 4 * DEPTH + 1] += 1
        return 1
    verdict = open_depth(w, w[RULE], w[record + FROM_ID], w[record + UPTO_ID], w[record + AFTER_ID])
    if verdict == HOLD:
        return 0
    if verdict == DROP:
        return 1
    w[record + RECEIVED] = received
    w[record + LOST_AS] = 0
    arrive(w, record)
    record_seen(w, record)
    if w[SEES] == 1:
        if room_for(w, DEPTHS, RECORD_HEAD + 2 * w[record + ROWS]):
            frame_copy(w, w[DEPTHS], record)
        else:
            let_see(w, record)
    return 2


def go_on(w, record, replays, received):
    """Leave the frame just shown behind; return the next one that a snapshot lets go on.

    With it comes 2 where the books took it, 1 where it was a repeat, 0 where there is none.
    """
    if w[REPLAYING] == 1:
        queue_drop_front(w, w[HELD])
    else:
        leave_or_forget(w, record)
    done = replay_next(w, received) if replays else 0
    w[REPLAYING] = 1 if done > 0 else 0
    return queue_front(w, w[HELD]), done
