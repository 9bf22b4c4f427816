"""The continuity state machine of one book: which frames may be applied, and in which order.

Difference messages that come before a snapshot wait in a bounded buffer and replay through the
same rules; a repeat is superseded; a hole in the ids breaks the book until the next snapshot has
been bridged.

    spot     first applied U <= id+1 <= u, then U <= id+1; u <= id is a repeat
    futures  first applied U <= id <= u or pu == id, then pu == id
    none     no ids: every snapshot replaces the book

Ids that run back by more than RUN_BACK were begun anew by the venue: they are no repeats but a
hole, and what was held of the old ids is passed over once a snapshot lets the new ones go on.

A snapshot whose first_id is NULL_INT stands alone (partial depth, archived books): it replaces
the book where no chain is kept, and no difference may chain onto it.

Trades keep their order; a repeated trade id is dropped, a hole flags the next trade `trade_gap`.
A quarantined frame of differences is a hole; one of trades flags the next trade.
Null rule: ids that the venue does not give are NULL_INT and are not checked. Unit: none.
Source: the venue's published procedure for keeping a local book.
"""

from qf.schema import BAD, BBO, DEPTH, NULL_INT, SNAPSHOT, TRADE

UNSYNCED, AWAITING, SYNCED, GAP, RESYNCING, ALONE = 0, 1, 2, 3, 4, 5
CHECK = 7  # kind of a snapshot that arrives while synced: it is compared, not loaded
LOST = 8  # kind of a frame that only says: the book has just become unusable
BIT_UNSYNCED, BIT_GAP, BIT_RESYNCING, BIT_TRADE_GAP = 1, 2, 4, 1 << 11
SPOT, FUTURES, NO_IDS = 0, 1, 2
DROP, EMIT, HOLD, BREAK = 0, 1, 2, 3
# More ids than a repeat can be late by: an hour of the busiest book.
RUN_BACK = 10000000

# Words of the state machine; TRADE_ID and TICKER_ID hold the next id expected, 0 for none yet.
STATE, LAST_APPLIED, INSIDE, VERDICT, TRADE_NEXT, TICKER_NEXT, TRADE_MISSING, AS_KIND = range(8)
COUNTS = 16  # COUNTS + 4 * kind + 0 applied, 1 superseded, 2 duplicate, 3 holes


def state_bits(state):
    """Return the quality bits of a book in `state`."""
    if state in (SYNCED, ALONE):
        return 0
    if state == GAP:
        return BIT_GAP
    return BIT_RESYNCING if state == RESYNCING else BIT_UNSYNCED


def judge(rule, state, known, first, last, prev):
    """Say whether a difference message is applied, a repeat, or proves a hole."""
    if 0 <= last < known - RUN_BACK:
        return BREAK
    if last < known or (last == known and (rule != FUTURES or state == SYNCED)):
        return DROP
    if rule == FUTURES:
        if state == SYNCED:
            return EMIT if prev == known else BREAK
        return EMIT if first <= known or prev == known else BREAK
    return EMIT if first <= known + 1 else BREAK


def open_depth(w, rule, first, last, prev):
    """Decide on a depth frame: emit, hold in the buffer, or drop."""
    state = w[STATE]
    count = COUNTS + 4 * DEPTH
    if state in (UNSYNCED, GAP, ALONE):
        return HOLD
    verdict = judge(rule, state, w[LAST_APPLIED], first, last, prev)
    if verdict == DROP:
        w[count + 1] += 1
        return DROP
    if verdict == BREAK:
        w[count + 3] += 1
        w[STATE] = UNSYNCED if state == AWAITING else GAP
        return HOLD
    w[count] += 1
    w[STATE] = SYNCED
    w[LAST_APPLIED] = last
    return EMIT


def open_trade(w, trade_id):
    """Decide on a trade: emit, or drop a repeat; remember a hole."""
    count = COUNTS + 4 * TRADE
    if trade_id != NULL_INT:
        known = w[TRADE_NEXT]
        if known not in (0, trade_id):
            if trade_id < known:
                w[count + 2] += 1
                return DROP
            w[count + 3] += 1
            w[TRADE_MISSING] = 1
        w[TRADE_NEXT] = trade_id + 1
    w[count] += 1
    return EMIT


def open_ticker(w, update_id):
    """Decide on a ticker: emit, or drop one that is not newer than the one before."""
    count = COUNTS + 4 * BBO
    if update_id != NULL_INT:
        if w[TICKER_NEXT] != 0 and 0 < w[TICKER_NEXT] - update_id <= RUN_BACK:
            w[count + 1] += 1
            return DROP
        w[TICKER_NEXT] = update_id + 1
    w[count] += 1
    return EMIT


def open_bad(w, kind):
    """Decide on a frame in quarantine: one of differences breaks the chain; 0 may be anything."""
    if kind in (TRADE, 0):
        w[TRADE_MISSING] = 1
    if kind in (DEPTH, 0) and w[STATE] in (AWAITING, SYNCED, RESYNCING):
        synced = w[STATE] == SYNCED
        w[STATE] = UNSYNCED if w[STATE] == AWAITING else GAP
        w[COUNTS + 4 * DEPTH + 3] += 1
        return BREAK if synced else DROP
    return DROP


def open_frame(w, rule, kind, first, last, prev):
    """Decide on the frame that begins, and on the kind that it is taken as."""
    w[AS_KIND] = kind
    if kind == TRADE:
        return open_trade(w, first)
    if kind == BBO:
        return open_ticker(w, first)
    if kind == DEPTH:
        return open_depth(w, rule, first, last, prev)
    if kind == BAD:
        return open_bad(w, first)
    w[COUNTS + 4 * kind] += 1
    if kind == SNAPSHOT:
        if w[STATE] == SYNCED:
            w[AS_KIND] = CHECK
        return EMIT
    return DROP


def close_snapshot(w, rule, first, last):
    """Take the ids of a loaded snapshot; say whether it stands alone."""
    w[LAST_APPLIED] = last
    if rule == NO_IDS or first == NULL_INT:
        w[STATE] = ALONE
        return True
    w[STATE] = AWAITING if w[STATE] <= AWAITING else RESYNCING
    return False
