"""pair(stream, quote_asof, …): put book messages where a trade may first see them.

Under `exchange_strict` a book message is visible to a trade when it was received earlier and its
venue time is strictly smaller than the largest trade event time so far. Messages wait in two
queues (differences and snapshots; tickers); at a trade those that have become visible go ahead of
it in the order of update ids, differences before tickers at equal ids. A message without a venue
time gets an estimate, processed_time - offset, where offset is the smallest (processed - event)
of the timed messages so far; before any, a ticker is invisible. Under `arrival` the stream passes
as it came, book messages delayed by quote_lag_ms.

Null rule: a trade without an event time releases nothing. Unit: none. A full queue releases its
oldest message, so that memory stays bounded when no trade comes.
Source: Lee and Ready (1991) compare with the quote strictly before the trade.
"""

from qf.book.sync import LOST
from qf.op import define
from qf.schema import (
    BBO,
    EVENT_TIME,
    FLAGS,
    KIND,
    LAST_ID,
    LAST_ROW,
    NULL_INT,
    PROCESSED_TIME,
    TAPE_FIELDS,
    TRADE,
    VENUE_TIME,
)

STRICT, ARRIVAL = 0, 1
NO_VENUE_TIME = 1 << 14

# ints: 0 largest trade event time, 1 smallest processed - event, 2 whether 1 is known,
# 3 head and 4 rows of the depth queue, 5 head and 6 rows of the ticker queue, 7 inside a frame
QUEUES = 16

op = define(
    "pair(stream: int, quote_asof: exchange_strict|arrival = exchange_strict,"
    " quote_lag_ms: 0..60000 = 0, depth_rows: 64..1000000 = 16384,"
    " ticker_rows: 64..1000000 = 8192, fields: 13..13 = 13) -> paired[fields]: int",
    shape="emit",
    ints=lambda quote_asof, quote_lag_ms, depth_rows, ticker_rows, fields: (
        QUEUES + fields * (depth_rows + ticker_rows)
    ),
)
op.polars_missing("two queues over frames have no expression form")
op.definition_missing("tests/book holds the list model that it must equal")


def visible_from(ints, kind, venue_time, processed_time):
    """Return the venue time that decides when a message may be seen, NULL_INT for never yet."""
    if kind == LOST:
        return 0  # bad news needs no permission, and its own times are not to be trusted
    if venue_time != NULL_INT:
        return venue_time
    if ints[2] == 0:
        # Without any offset a ticker cannot be placed; a first snapshot has nothing to overtake.
        return NULL_INT if kind == BBO else 0
    return processed_time - ints[1]


def queue_row(ints, queue, start, capacity, stream, stride0, t, seen_from):
    """Append a stream row to a queue, with the time from which it may be seen."""
    place = ints[queue] + ints[queue + 1]
    if place >= capacity:  # a remainder would cost forty cycles and more
        place -= capacity
    b = start + TAPE_FIELDS * place
    for f in range(TAPE_FIELDS):
        ints[b + f] = stream[f * stride0 + t]
    if ints[b + VENUE_TIME] == NULL_INT and ints[b + KIND] == BBO:
        ints[b + FLAGS] |= NO_VENUE_TIME
    ints[b + VENUE_TIME] = seen_from
    ints[queue + 1] += 1


def release_frame(ints, queue, start, capacity, paired, stride, j):
    """Move the oldest frame of a queue to the output; return the next free row."""
    last = 0
    while last == 0 and ints[queue + 1] > 0:
        b = start + TAPE_FIELDS * ints[queue]
        last = ints[b + LAST_ROW]
        for f in range(TAPE_FIELDS):
            paired[f * stride + j] = ints[b + f]
        j += 1
        ints[queue] += 1
        if ints[queue] == capacity:
            ints[queue] = 0
        ints[queue + 1] -= 1
    if ints[queue + 1] == 0:
        ints[queue] = 0  # an empty queue starts over, so that it stays in the cache
    return j


def release_visible(ints, depth_rows, ticker_rows, limit, paired, stride, j):
    """Release every frame seen strictly before `limit`, by update id, differences first."""
    tickers = QUEUES + TAPE_FIELDS * depth_rows
    while True:
        d = QUEUES + TAPE_FIELDS * ints[3]
        b = tickers + TAPE_FIELDS * ints[5]
        depth_ready = ints[4] > 0 and ints[d + VENUE_TIME] < limit
        ticker_ready = ints[6] > 0 and ints[b + VENUE_TIME] < limit
        if depth_ready and (not ticker_ready or ints[d + LAST_ID] <= ints[b + LAST_ID]):
            j = release_frame(ints, 3, QUEUES, depth_rows, paired, stride, j)
        elif ticker_ready:
            j = release_frame(ints, 5, tickers, ticker_rows, paired, stride, j)
        else:
            return j


def note_offset(ints, event_time, processed_time):
    """Keep the smallest (processed - event) seen, the lower envelope of the clock offset."""
    if event_time != NULL_INT:
        offset = processed_time - event_time
        if ints[2] == 0 or offset < ints[1]:
            ints[1] = offset
        ints[2] = 1


@op.kernel
def kernel(stream, lo, hi, stride0, olo, stride, room, made, params, ints, paired):
    asof = int(params[0])
    lag = int(params[1]) * 1000000
    depth_rows = int(params[2])
    ticker_rows = int(params[3])
    tickers = QUEUES + TAPE_FIELDS * depth_rows
    need = hi - lo + ints[4] + ints[6]
    if room[0] < need:
        return need
    j = olo
    for t in range(lo, hi):
        kind = stream[KIND * stride0 + t]
        event_time = stream[EVENT_TIME * stride0 + t]
        processed_time = stream[PROCESSED_TIME * stride0 + t]
        if ints[7] == 0:
            note_offset(ints, event_time, processed_time)
        ints[7] = 1 - stream[LAST_ROW * stride0 + t]
        if kind == TRADE:
            if asof == STRICT and event_time != NULL_INT and event_time > ints[0]:
                ints[0] = event_time
            # Differences carry their receive time as visible time under `arrival`.
            limit = ints[0] if asof == STRICT else processed_time - lag + 1
            j = release_visible(ints, depth_rows, ticker_rows, limit, paired, stride, j)
            for f in range(TAPE_FIELDS):
                paired[f * stride + j] = stream[f * stride0 + t]
            j += 1
            continue
        seen_from = processed_time
        if asof == STRICT:
            venue_time = stream[VENUE_TIME * stride0 + t]
            seen_from = visible_from(ints, kind, venue_time, processed_time)
        if kind == BBO:
            if seen_from == NULL_INT:
                continue
            if ints[6] >= ticker_rows - 1:
                j = release_frame(ints, 5, tickers, ticker_rows, paired, stride, j)
            queue_row(ints, 5, tickers, ticker_rows, stream, stride0, t, seen_from)
        else:
            if ints[4] >= depth_rows - 1:
                j = release_frame(ints, 3, QUEUES, depth_rows, paired, stride, j)
            queue_row(ints, 3, QUEUES, depth_rows, stream, stride0, t, seen_from)
    made[0] = j - olo
