"""One ladder for two books: the arrived book's levels are those that trades see, and what waits.

Both books take the same messages in the same order, the visible one later. So where nobody reads
the arrived book between two snapshots, its levels need not be kept: they are those of the visible
book once the messages that wait (in the queue of differences) are set too. At a snapshot these are
*swapped in*, each level with what was there before, and before a trade they are swapped out again,
the last first. The ladder's window stays where it is meanwhile.

The books part, and each has a ladder of its own, from a snapshot that comes until trades see it
too; while the books do not agree on a snapshot; where a message cannot be swapped in as the window
would have to move; where trades are so rare that most levels would be swapped; and where somebody
looks at the arrived book from outside (OBSERVED).

Null rule, unit: none. Source: definition.
"""

from qf.book.continuity import CHECK
from qf.book.frames import (
    AFTER_ID,
    AS,
    QUEUE_HEAD,
    RECEIVED,
    RECORD_HEAD,
    ROWS,
    UPTO_ID,
    WHOLE,
)
from qf.book.ladder import (
    LADDER_WORDS,
    NO_LEVEL,
    SIGN,
    TOP_U,
    WIDTH,
    best_set,
    far_set,
    find_best,
    level_size,
    ring_put,
    side_at,
)
from qf.book.state import (
    AHEAD,
    AHEAD_LAST,
    ARRIVED,
    DEEP,
    DEPTHS,
    DISAGREE,
    LEVELS,
    OBSERVED,
    SEES,
    SHARES,
    SHOWS,
    SWAPPED,
    TAKEN,
    VISIBLE,
)
from qf.book.top import (
    BEEN_CROSSED,
    BOOK_ID,
    BOOK_TIME,
    FOLLOWER,
    FRAME_OPEN,
    LADDER,
    LADDER_AT,
    VALID,
    lay_over,
    levels_changed,
    note_crossed,
    take_frame,
    take_levels,
    taken_as,
)
from qf.schema import DEPTH, SNAPSHOT

# To swap a level in and out costs twice what is saved where none is: of more than one in three the
# books part, after a while, and a copy is made; so many levels later they try again.
PATIENCE_LEVELS, REST_LEVELS, LATELY_LEVELS = 12288, 1 << 19, 1 << 16
# A word of a record's head that nobody asks for once it waits: how far before it the one before is.
BACK = AFTER_ID


def place_ladders(w, book_wanted):
    """Say where the levels of both books lie, and whether one ladder may be that of both."""
    if w[VISIBLE + LADDER_AT] == 0:
        w[VISIBLE + LADDER_AT] = VISIBLE + LADDER
        w[ARRIVED + LADDER_AT] = ARRIVED + LADDER
    w[SHARES] = 1 if w[SEES] == 1 and w[SHOWS] == 1 and not book_wanted and w[OBSERVED] == 0 else 0
    if w[SHARES] == 0 and w[VISIBLE + FOLLOWER] != 0:
        part_with_levels(w)


def let_share(w):
    """Let the arrived book live by the visible one's ladder, where they hold the same."""
    q = w[DEPTHS]
    if w[q] == w[q + 1] and w[DISAGREE] == 0 and w[TAKEN] >= 0:
        w[ARRIVED + LADDER_AT] = w[VISIBLE + LADDER_AT]
        w[VISIBLE + FOLLOWER] = ARRIVED


def part_ways(w):
    """Let each book live by its own ladder."""
    w[ARRIVED + LADDER_AT] = ARRIVED + LADDER
    w[VISIBLE + FOLLOWER] = 0


def part_with_levels(w):
    """Give the arrived book a ladder of its own, with what it should hold."""
    step_back(w)
    follow(w)
    start, own = w[VISIBLE + LADDER_AT], ARRIVED + LADDER
    for i in range(LADDER_WORDS):
        w[own + i] = w[start + i]
    part_ways(w)
    q = w[DEPTHS]
    record, stop = q + QUEUE_HEAD + w[q], q + QUEUE_HEAD + w[q + 1]
    while record < stop:
        if is_difference(w, record):
            take_levels(w, ARRIVED, 1, DEPTH, record)
            note_difference(w, record)
        record += RECORD_HEAD + 2 * w[record + ROWS]
    lay_over(w, ARRIVED)


def is_difference(w, record):
    """Say whether a record that waits is a whole difference message; its id is newer than all."""
    return w[record + AS] == DEPTH and w[record + WHOLE] == 1


def follow(w):
    """Let the arrived book know what the visible one knows of the messages that trades see."""
    for word in (BOOK_ID, BOOK_TIME, BEEN_CROSSED):
        w[ARRIVED + word] = max(w[ARRIVED + word], w[VISIBLE + word])


def note_difference(w, record):
    """Let the arrived book know of a difference message whose levels were set."""
    w[ARRIVED + BOOK_ID] = max(w[ARRIVED + BOOK_ID], w[record + UPTO_ID])
    w[ARRIVED + BOOK_TIME] = max(w[ARRIVED + BOOK_TIME], w[record + RECEIVED])
    note_crossed(w, ARRIVED)


def swap_levels(w, record, rows, back):
    """Set a record's levels and keep in it what was there; with `back`, the last first.

    Return the best tick that was set per side.
    """
    at, first = w[VISIBLE + LADDER_AT], record + RECORD_HEAD
    bid, ask = NO_LEVEL, NO_LEVEL
    for i in range(rows):
        place = first + 2 * (rows - 1 - i if back else i)
        u = w[place]
        bid, ask = max(bid, u), max(ask, u ^ SIGN)
        s = side_at(at, -(u >> 63))
        size, w[place + 1] = w[place + 1], level_size(w, s, u)
        if u > w[s + TOP_U] - WIDTH:
            ring_put(w, s, u, size)
        else:
            far_set(w, s, u, size)
    bid, ask = best_set(bid, ask)
    find_best(w, at, bid)
    find_best(w, side_at(at, 1), ask)
    return bid, ask


def fits_the_window(w, record, rows):
    """Say whether a record's levels can be set and taken back without moving the window."""
    at = w[VISIBLE + LADDER_AT]
    for place in range(record + RECORD_HEAD, record + RECORD_HEAD + 2 * rows, 2):
        u = w[place]
        if u > w[side_at(at, -(u >> 63)) + TOP_U]:
            return False
    return True


def catch_up(w, stop):
    """Swap in what waits up to a place of the queue, or part: the arrived book can be read then."""
    q = w[DEPTHS]
    start = q + QUEUE_HEAD + w[q]
    if w[AHEAD] == 0:
        w[AHEAD_LAST] = 0
        follow(w)
    record = start + w[AHEAD]
    while record < stop:
        rows = w[record + ROWS]
        if is_difference(w, record):
            w[SWAPPED] += rows
            if 3 * w[SWAPPED] > w[TAKEN] + PATIENCE_LEVELS:
                w[SWAPPED], w[TAKEN] = 0, -REST_LEVELS
            if w[TAKEN] < 0 or not fits_the_window(w, record, rows):
                part_with_levels(w)
                return
            bid, ask = swap_levels(w, record, rows, False)
            levels_changed(w, ARRIVED, 1, bid, ask, rows == 1)
            note_difference(w, record)
        w[record + BACK] = record - start - w[AHEAD_LAST]
        w[AHEAD_LAST] = record - start
        record += RECORD_HEAD + 2 * rows
        w[AHEAD] = record - start
    lay_over(w, ARRIVED)


def step_back(w):
    """Swap out what was swapped in: the visible book can be read then."""
    q = w[DEPTHS]
    record = q + QUEUE_HEAD + w[q] + w[AHEAD_LAST]
    while w[AHEAD] > 0:
        if is_difference(w, record):
            swap_levels(w, record, w[record + ROWS], True)
        w[AHEAD] = record - q - QUEUE_HEAD - w[q]
        record -= w[record + BACK]


def see_arrived(w):
    """Bring the arrived book's levels up to date, to be read."""
    if w[VISIBLE + FOLLOWER] != 0:
        q = w[DEPTHS]
        catch_up(w, q + QUEUE_HEAD + w[q + 1])


def arrive(w, record):
    """Let the arrived book take a record, where anybody reads it; none is newer in its queue.

    Of a difference it may learn when it is read, not before.
    """
    shared, kind = w[VISIBLE + FOLLOWER] != 0, w[record + AS]
    if w[SHOWS] == 0 or (shared and kind == DEPTH and w[ARRIVED + VALID] == 1):
        return
    if shared and kind in (SNAPSHOT, CHECK):
        catch_up(w, record)
    kind = taken_as(w, ARRIVED, record)
    if kind == SNAPSHOT and w[ARRIVED + FRAME_OPEN] == 0:
        w[DISAGREE] = 1 if w[record + AS] == CHECK else 0
        part_ways(w)
    take_frame(w, ARRIVED, 1, kind, record)


def let_see(w, record):
    """Let the visible book take a record."""
    step_back(w)
    w[TAKEN] += w[record + ROWS]
    if w[TAKEN] > LATELY_LEVELS:
        w[TAKEN], w[SWAPPED] = w[TAKEN] >> 1, w[SWAPPED] >> 1
    kind = taken_as(w, VISIBLE, record)
    if kind == SNAPSHOT and w[record + AS] == CHECK:
        w[DISAGREE] = 1
        if w[VISIBLE + FOLLOWER] != 0:
            part_with_levels(w)
    take_frame(w, VISIBLE, w[LEVELS] * w[DEEP], kind, record)
