"""What the data means: the tape, the tables, and the quality bits, with every field's meaning.

Missing is NaN in float64 columns, `NULL_INT` in int64 columns, and null in tables.
"""

from __future__ import annotations

from typing import NamedTuple

NULL_INT = -(2**63)

# --- the tape: one row per trade, per book level, per side of a ticker; all int64 ----------------
TRADE, DEPTH, SNAPSHOT, BBO, BAD, MARK = 1, 2, 3, 4, 5, 6
KINDS = {
    "trade": TRADE,  # one print
    "depth": DEPTH,  # one level of a book difference (absolute size; 0 removes)
    "snapshot": SNAPSHOT,  # one level of a full book
    "bbo": BBO,  # one side of a best-bid-offer message (bid row, then ask row)
    "bad": BAD,  # a frame in quarantine: first_id says which kind of record it would have been
    "mark": MARK,  # one value of those that the venue publishes beside trades and book
}
# Which value a row of kind MARK holds, as its side; its price is the float64's 64 bits.
PUBLISHED = {
    "mark_price": 1,
    "index_price": 2,
    "settle_price": 3,
    "funding_rate": 4,
    "open_interest": 5,
    "forced_buy_volume": 6,  # size of a forced order that buys
    "forced_sell_volume": 7,
}


class Field(NamedTuple):
    """One column: its name, its DuckDB type, its meaning (with the unit)."""

    name: str
    type: str
    meaning: str


TAPE = (
    Field("seq", "BIGINT", "arrival ordinal of the frame over all channels of (venue, symbol)"),
    Field("kind", "BIGINT", "see KINDS"),
    Field("last_row", "BIGINT", "1 on the last row of its frame, else 0"),
    Field(
        "side",
        "BIGINT",
        "book: +1 bid, -1 ask, 0 empty message; trade: aggressor, 0 unknown; mark: see PUBLISHED",
    ),
    Field("price", "BIGINT", "ticks; mark: the value as the bits of a float64"),
    Field("size", "BIGINT", "lots"),
    Field("event_time", "BIGINT", "venue time of the frame in ns (T for trades, E where no T)"),
    Field(
        "venue_time", "BIGINT", "time for quote pairing: T (futures), E (spot depth) or NULL_INT"
    ),
    Field("processed_time", "BIGINT", "receive time in ns, non-decreasing"),
    Field("first_id", "BIGINT", "depth: U; trade: trade id; bbo: update id; bad: the record kind"),
    Field("last_id", "BIGINT", "depth: u; snapshot: lastUpdateId; trade, bbo: as first_id"),
    Field("prev_id", "BIGINT", "futures depth: pu; else NULL_INT"),
    Field("flags", "BIGINT", "quality bits known when the frame was read"),
)

# Places of the tape's fields, for kernels that take the tape as adjacent columns.
SEQ, KIND, LAST_ROW, SIDE, PRICE, SIZE, EVENT_TIME, VENUE_TIME, PROCESSED_TIME = range(9)
FIRST_ID, LAST_ID, PREV_ID, FLAGS = range(9, 13)
TAPE_FIELDS = 13

# --- quality bits: numbered once, never renumbered ----------------------------------------------
QUALITY = {
    "unsynced": 0,  # no snapshot bridged yet
    "gap": 1,  # the id chain of the book broke
    "resyncing": 2,  # a snapshot is being bridged after a gap
    "stale": 3,  # the book has been silent longer than book_ttl_ms
    "crossed": 4,  # best bid >= best ask
    "unknown_depth": 5,  # a level within 0..K-1 lies outside the last snapshot's price range
    "non_market": 6,  # the venue says the print was not made in the book
    "out_of_order": 7,  # the event time ran backwards; a trade's book may be newer than the trade
    "duplicate": 8,  # an id seen before
    "clock_step": 9,  # the receive clock stepped backwards
    "warmup": 10,  # not enough history yet
    "trade_gap": 11,  # a hole in the trade ids, or a trade frame in quarantine
    "window_full": 12,  # a time window held more rows than its ring
    "undefined": 13,  # 0/0 and the like
    "no_venue_time": 14,  # the quote's venue time is an estimate
}
BIT = {name: 1 << place for name, place in QUALITY.items()}
BOOK_INVALID = BIT["unsynced"] | BIT["gap"] | BIT["resyncing"] | BIT["stale"] | BIT["crossed"]
NULL_ON = BOOK_INVALID | BIT["warmup"]

# What became of one received frame: the terms of the accounting line, in its order.
APPLIED, SUPERSEDED, DUPLICATE, QUARANTINED, CONFLATED, IGNORED = range(6)
VERDICTS = ("applied", "superseded", "duplicate", "quarantined", "conflated", "ignored")


def quality_names(bits: int) -> tuple[str, ...]:
    """Return the names of the bits that are set, lowest first."""
    return tuple(name for name, place in QUALITY.items() if bits >> place & 1)
