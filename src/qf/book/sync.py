"""sync(tape, rule, buffer_rows): the continuity state machine of one book.

Tape rows in, the clean stream out: only what may be applied, in the order it may be applied. A
stream row is a tape row whose first_id is replaced by the book's state bits (unsynced, gap,
resyncing) at that moment. Difference messages that come before a snapshot wait in a bounded
buffer and replay through the same rules; a repeat is superseded; a hole in the ids breaks the
book until the next snapshot has been bridged.

    spot     first applied U <= id+1 <= u, then U <= id+1; u <= id is a repeat
    futures  first applied U <= id <= u or pu == id, then pu == id
    none     no ids: every snapshot replaces the book

A snapshot whose first_id is NULL_INT stands alone (partial depth, archived books): it replaces
the book where no chain is kept, and no difference may chain onto it.

Trades keep their order; a repeated trade id is dropped, a hole flags the next trade `trade_gap`.
A quarantined frame of differences is a hole; one of trades flags the next trade.
Null rule: ids that the venue does not give are NULL_INT and are not checked. Unit: none.
Source: the venue's published procedure for keeping a local book.
"""

from qf.op import define
from qf.schema import (
    BAD,
    BBO,
    DEPTH,
    FIRST_ID,
    FLAGS,
    KIND,
    LAST_ID,
    LAST_ROW,
    NULL_INT,
    PREV_ID,
    PROCESSED_TIME,
    SEQ,
    SNAPSHOT,
    TAPE_FIELDS,
    TRADE,
)

UNSYNCED, AWAITING, SYNCED, GAP, RESYNCING, ALONE = 0, 1, 2, 3, 4, 5
CHECK = 7  # kind of a snapshot that arrives while synced: it is compared, not loaded
LOST = 8  # kind of a row that only says: the book has just become unusable
BITS = FIRST_ID  # the field of a stream row that holds the book's state bits
BIT_UNSYNCED, BIT_GAP, BIT_RESYNCING, BIT_TRADE_GAP = 1, 2, 4, 1 << 11
SPOT, FUTURES, NO_IDS = 0, 1, 2
EMIT, HOLD, DROP, BREAK = 1, 2, 0, 3

# ints: 0 state, 1 last id, 2 inside a frame, 3 verdict, 4 trade id + 1, 5 ticker id + 1,
# 6 a trade is missing, 7 buffer head, 8 buffered rows, 9 kind to emit
COUNTS = 16  # COUNTS + 4 * kind + 0 applied, 1 superseded, 2 duplicate, 3 holes
BUFFER = 64

op = define(
    "sync(tape: int, rule: spot|futures|none = spot, buffer_rows: 64..1000000 = 8192,"
    " fields: 13..13 = 13) -> stream[fields]: int",
    shape="emit",
    ints=lambda rule, buffer_rows, fields: BUFFER + fields * buffer_rows,
)
op.polars_missing("a state machine over frames has no expression form")
op.definition_missing("tests/book holds the dictionary model that it must equal")


def state_bits(state):
    """Return the quality bits of a book in `state`."""
    if state in (SYNCED, ALONE):
        return 0
    if state == GAP:
        return BIT_GAP
    return BIT_RESYNCING if state == RESYNCING else BIT_UNSYNCED


def judge(rule, state, known, first, last, prev):
    """Say whether a difference message is applied, a repeat, or proves a hole."""
    if last < known or (last == known and (rule != FUTURES or state == SYNCED)):
        return DROP
    if rule == FUTURES:
        if state == SYNCED:
            return EMIT if prev == known else BREAK
        return EMIT if first <= known or prev == known else BREAK
    return EMIT if first <= known + 1 else BREAK


def open_depth(ints, rule, first, last, prev):
    """Decide on a depth frame: emit, hold in the buffer, or drop."""
    state = ints[0]
    count = COUNTS + 4 * DEPTH
    if state in (UNSYNCED, GAP, ALONE):
        return HOLD
    verdict = judge(rule, state, ints[1], first, last, prev)
    if verdict == DROP:
        ints[count + 1] += 1
        return DROP
    if verdict == BREAK:
        ints[count + 3] += 1
        ints[0] = UNSYNCED if state == AWAITING else GAP
        return HOLD
    ints[count] += 1
    ints[0] = SYNCED
    ints[1] = last
    return EMIT


def open_trade(ints, trade_id):
    """Decide on a trade: emit, or drop a repeat; remember a hole."""
    count = COUNTS + 4 * TRADE
    if trade_id != NULL_INT:
        known = ints[4]
        if known != 0 and trade_id < known:
            ints[count + 2] += 1
            return DROP
        if known != 0 and trade_id > known:
            ints[count + 3] += 1
            ints[6] = 1
        ints[4] = trade_id + 1
    ints[count] += 1
    return EMIT


def open_ticker(ints, update_id):
    """Decide on a ticker: emit, or drop one that is not newer than the one before."""
    count = COUNTS + 4 * BBO
    if update_id != NULL_INT:
        if ints[5] != 0 and update_id < ints[5]:
            ints[count + 1] += 1
            return DROP
        ints[5] = update_id + 1
    ints[count] += 1
    return EMIT


def open_bad(ints, kind):
    """Decide on a frame in quarantine: one of differences breaks the chain; 0 may be anything."""
    if kind in (TRADE, 0):
        ints[6] = 1
    if kind in (DEPTH, 0) and ints[0] in (AWAITING, SYNCED, RESYNCING):
        synced = ints[0] == SYNCED
        ints[0] = UNSYNCED if ints[0] == AWAITING else GAP
        ints[COUNTS + 4 * DEPTH + 3] += 1
        return BREAK if synced else DROP
    return DROP


def open_frame(ints, rule, kind, first, last, prev):
    """Decide on the frame that begins, and on the kind its rows are emitted as."""
    ints[9] = kind
    if kind == TRADE:
        return open_trade(ints, first)
    if kind == BBO:
        return open_ticker(ints, first)
    if kind == DEPTH:
        return open_depth(ints, rule, first, last, prev)
    if kind == BAD:
        return open_bad(ints, first)
    ints[COUNTS + 4 * kind] += 1
    if kind == SNAPSHOT:
        if ints[0] == SYNCED:
            ints[9] = CHECK
        return EMIT
    return DROP


def hold_row(ints, capacity, tape, stride0, t):
    """Append a row to the buffer; a full buffer loses its oldest frames, whole."""
    while ints[8] >= capacity:
        last = 0
        while ints[8] > 0 and last == 0:
            last = ints[BUFFER + TAPE_FIELDS * ints[7] + LAST_ROW]
            ints[7] = (ints[7] + 1) % capacity
            ints[8] -= 1
        ints[COUNTS + 4 * DEPTH + 1] += 1
    b = BUFFER + TAPE_FIELDS * ((ints[7] + ints[8]) % capacity)
    for f in range(TAPE_FIELDS):
        ints[b + f] = tape[f * stride0 + t]
    ints[8] += 1


def put_row(stream, stride, j, tape, stride0, t, kind, bits):
    """Write one stream row from a tape row."""
    for f in range(TAPE_FIELDS):
        stream[f * stride + j] = tape[f * stride0 + t]
    stream[KIND * stride + j] = kind
    stream[BITS * stride + j] = bits


def replay(ints, rule, capacity, stream, stride, j, seq, processed_time):
    """Send the buffer through the rules; what proves a hole stays for the next snapshot."""
    while ints[8] > 0:
        b = BUFFER + TAPE_FIELDS * ints[7]
        verdict = open_depth(ints, rule, ints[b + FIRST_ID], ints[b + LAST_ID], ints[b + PREV_ID])
        if verdict == HOLD:
            break
        last = 0
        while last == 0:
            b = BUFFER + TAPE_FIELDS * ints[7]
            last = ints[b + LAST_ROW]
            if verdict == EMIT:
                for f in range(TAPE_FIELDS):
                    stream[f * stride + j] = ints[b + f]
                stream[SEQ * stride + j] = seq
                stream[PROCESSED_TIME * stride + j] = processed_time
                stream[BITS * stride + j] = 0
                j += 1
            ints[7] = (ints[7] + 1) % capacity
            ints[8] -= 1
    return j


@op.kernel
def kernel(tape, lo, hi, stride0, olo, stride, room, made, params, ints, stream):
    rule = int(params[0])
    capacity = int(params[1])
    need = 2 * (hi - lo) + ints[8] + 2
    if room[0] < need:
        return need
    j = olo
    for t in range(lo, hi):
        kind = tape[KIND * stride0 + t]
        last_id = tape[LAST_ID * stride0 + t]
        before = ints[0]
        if ints[2] == 0:
            first = tape[FIRST_ID * stride0 + t]
            ints[3] = open_frame(ints, rule, kind, first, last_id, tape[PREV_ID * stride0 + t])
        last_row = tape[LAST_ROW * stride0 + t]
        ints[2] = 1 - last_row
        verdict = ints[3]
        if verdict == EMIT:
            put_row(stream, stride, j, tape, stride0, t, ints[9], state_bits(ints[0]))
            if kind == TRADE and ints[6] == 1:
                stream[FLAGS * stride + j] |= BIT_TRADE_GAP
                ints[6] = 0
            j += 1
        elif verdict == HOLD:
            hold_row(ints, capacity, tape, stride0, t)
        if verdict == BREAK or (verdict == HOLD and before == SYNCED):
            put_row(stream, stride, j, tape, stride0, t, LOST, state_bits(ints[0]))
            stream[LAST_ROW * stride + j] = 1
            j += 1
        if ints[9] == SNAPSHOT and kind == SNAPSHOT and last_row == 1:
            ints[1] = last_id
            if rule == NO_IDS or tape[FIRST_ID * stride0 + t] == NULL_INT:
                ints[0] = ALONE
                stream[BITS * stride + j - 1] = 0
            else:
                ints[0] = AWAITING if ints[0] <= AWAITING else RESYNCING
                received = tape[PROCESSED_TIME * stride0 + t]
                seq = tape[SEQ * stride0 + t]
                j = replay(ints, rule, capacity, stream, stride, j, seq, received)
    made[0] = j - olo
