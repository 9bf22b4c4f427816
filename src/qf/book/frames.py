"""Queues of book frames in flat int64 words.

A frame is a record: a head of RECORD_HEAD words, then a signed tick and a size per level. The
first two words of a queue say where its oldest record begins and where the next one goes, counted
from `q + QUEUE_HEAD`; records lie in one piece, so those left move to the front when the end is
near. A queue that runs empty starts over, so that it stays in the cache.
"""

from qf.schema import LAST_ROW, PRICE, SIDE, SIZE

RECORD_HEAD, QUEUE_HEAD = 12, 2
# Words of a record's head. SEEN_FROM is the venue time that decides when a trade may see it.
ROWS, AS, SEEN_FROM, UPTO_ID, RECEIVED, LOST_AS, MARKS, WHOLE = range(8)
FROM_ID, AFTER_ID, HAPPENED, VENUE = range(8, 12)


def queue_front(w, q):
    """Return the place of the oldest record."""
    return q + QUEUE_HEAD + w[q]


def queue_drop_front(w, q):
    """Remove the oldest record."""
    w[q] += RECORD_HEAD + 2 * w[q + QUEUE_HEAD + w[q] + ROWS]
    if w[q] == w[q + 1]:
        w[q] = 0
        w[q + 1] = 0


def queue_fits(w, q, capacity, more):
    """Say whether `more` words fit behind the newest record, moving all to the front if needed."""
    if w[q + 1] + more <= capacity:
        return True
    head = w[q]
    used = w[q + 1] - head
    if used + more > capacity:
        return False
    for i in range(used):
        w[q + QUEUE_HEAD + i] = w[q + QUEUE_HEAD + head + i]
    w[q] = 0
    w[q + 1] = used
    return True


def frame_begin(w, q):
    """Append an empty record, for which there is room, and return its place."""
    record = q + QUEUE_HEAD + w[q + 1]
    w[q + 1] += RECORD_HEAD
    w[record + ROWS] = 0
    w[record + WHOLE] = 0
    return record


def frame_copy(w, q, record):
    """Append a copy of a record, for which there is room, and return its place."""
    size = RECORD_HEAD + 2 * w[record + ROWS]
    copy = q + QUEUE_HEAD + w[q + 1]
    for i in range(size):
        w[copy + i] = w[record + i]
    w[q + 1] += size
    return copy


def frame_forget(w, q, record):
    """Take the newest record back out."""
    w[q + 1] = record - q - QUEUE_HEAD
    if w[q] == w[q + 1]:
        w[q] = 0
        w[q + 1] = 0


def frame_levels(w, q, capacity, record, tape, stride0, t, hi):
    """Append levels from tape rows t.. to the newest record, up to the frame's last row.

    Return the row after the last one taken; a full queue stops it before the frame's end.
    """
    free = q + QUEUE_HEAD + capacity - 2
    put = record + RECORD_HEAD + 2 * w[record + ROWS]
    last = 0
    while t < hi and last == 0 and put <= free:
        side = tape[SIDE * stride0 + t]
        last = tape[LAST_ROW * stride0 + t]
        w[put] = side * tape[PRICE * stride0 + t]
        w[put + 1] = tape[SIZE * stride0 + t]
        put += 2 * (side & 1)  # the row of an empty message has side 0
        t += 1
    w[record + ROWS] = (put - record - RECORD_HEAD) >> 1
    w[record + WHOLE] = last
    w[q + 1] = put - q - QUEUE_HEAD
    return t
