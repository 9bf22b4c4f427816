"""The tables as data: name, schema, key, and every column's type and meaning.

A table's `made` column is the receive time of the event that made the row (the closing trade of
a bar, the bar that ended a label): ranges are cut on it, so running day by day writes exactly the
rows of running at once. `ordinal` is the part of the key that grows as rows are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from qf.errors import diagnostic
from qf.schema import Field
from qf.schema_records import PART_COLUMNS, PROGRESS_FIELDS, RUN_FIELDS, WHERE

BAD_NAME = diagnostic(
    "QF600",
    "{name!r} cannot be the name of a {what}",
    hint="use a letter, then at most 62 letters, digits and underscores",
)

NAME_TAKEN = diagnostic(
    "QF608", "the set {feature_set} would have two columns called {name!r}", hint="rename a feature"
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")

_CLOCK = Field("bar_clock", "VARCHAR", "the sequence of bars, dollar_k_50000 for one")
_SEQ = Field("seq", "BIGINT", "arrival ordinal of the frame over all channels of (venue, symbol)")
_BAR_ID = Field("bar_id", "BIGINT", "0, 1, 2 … per venue, symbol and clock since history_start")
_EVENT = Field("event_time", "TIMESTAMP_NS", "venue time, UTC")
_PROCESSED = Field("processed_time", "TIMESTAMP_NS", "receive time, UTC, non-decreasing")
_RECEIVED = (*WHERE, _SEQ, _EVENT, _PROCESSED)  # how a row of one frame begins
_OF_BAR = (*WHERE, _CLOCK, _BAR_ID)
_FEATURE_TIME = Field(
    "feature_time", "TIMESTAMP_NS", "receive time of the trade that made the bar exist"
)
_FLAGS = Field("flags", "BIGINT", "quality bits known when the frame was read")
_QUALITY = Field("quality", "BIGINT", "quality bits of every row that this one was made from")


@dataclass(frozen=True)
class Table:
    """One table: where it lives, what identifies a row, which time ranges cut it."""

    name: str
    area: str  # "cdm" or "feature": the schema is <project>_<area>
    key: tuple[str, ...]
    made: str  # the column that ranges are cut on; "" where a table is rewritten whole
    meaning: str
    fields: tuple[Field, ...]
    ordinal: str = ""  # grows (strictly, unless `repeats`) while the rest of the key stays
    repeats: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns' names in order."""
        return tuple(field.name for field in self.fields)


def check_name(name: str, what: str) -> str:
    """Return `name` if it may be an SQL identifier. Errors: QF600."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BAD_NAME(name=name, what=what)
    return name


def _double(*rows: tuple[str, str]) -> tuple[Field, ...]:
    return tuple(Field(name, "DOUBLE", meaning) for name, meaning in rows)


def _levels(*rows: tuple[str, str]) -> tuple[Field, ...]:
    return tuple(Field(name, "DOUBLE[]", meaning) for name, meaning in rows)


_LADDER = _levels(
    ("bid_price", "bid prices, best first (element 1 is level 0); quote per base"),
    ("bid_size", "bid sizes of those levels; base, contracts where the venue counts them"),
    ("ask_price", "ask prices, best first; quote per base"),
    ("ask_size", "ask sizes of those levels"),
)

_TABLES = (
    Table(
        "instruments",
        "cdm",
        ("venue", "symbol", "valid_from"),
        "",
        "What is traded where, and the steps of its prices and sizes.",
        (
            *WHERE,
            Field("base", "VARCHAR", "what is bought"),
            Field("quote", "VARCHAR", "what it is paid in"),
            Field("asset_type", "VARCHAR", "spot, linear or inverse"),
            Field("tick_size", "VARCHAR", "smallest step of the price, a decimal"),
            Field("lot_size", "VARCHAR", "smallest step of the size, a decimal"),
            Field("contract_size", "VARCHAR", "value of one contract, a decimal; null on spot"),
            Field("valid_from", "TIMESTAMP_NS", "since when, UTC"),
        ),
    ),
    Table(
        "cdm_trades",
        "cdm",
        ("venue", "symbol", "seq"),
        "processed_time",
        "The prints as published.",
        (
            *_RECEIVED,
            Field("trade_id", "BIGINT", "the venue's id of the trade"),
            *_double(("price", "quote per base"), ("size", "base, or contracts")),
            Field("is_buyer_maker", "BOOLEAN", "true: the aggressor sold; null: unknown"),
            _FLAGS,
        ),
        "seq",
    ),
    Table(
        "cdm_lob_incremental",
        "cdm",
        ("venue", "symbol", "seq", "side", "price"),
        "processed_time",
        "The book's messages as published, one row per level.",
        (
            *_RECEIVED,
            Field("first_id", "BIGINT", "first update id of the message (U)"),
            Field("last_id", "BIGINT", "last update id (u); lastUpdateId of a snapshot"),
            Field("prev_id", "BIGINT", "last update id of the message before (pu); futures only"),
            Field("is_snapshot", "BOOLEAN", "true: the rows of this seq replace the whole book"),
            Field("side", "VARCHAR", "bid or ask"),
            *_double(("price", "quote per base"), ("size", "absolute; 0 removes the level")),
            _FLAGS,
        ),
        "seq",
        repeats=True,
    ),
    Table(
        "cdm_bbo",
        "cdm",
        ("venue", "symbol", "seq"),
        "processed_time",
        "Best bid and offer as published.",
        (
            *_RECEIVED,
            Field("update_id", "BIGINT", "the book's update id that the quote belongs to"),
            *_double(
                ("bid_price", "best bid, quote per base"),
                ("bid_size", "size at the best bid"),
                ("ask_price", "best ask, quote per base"),
                ("ask_size", "size at the best ask"),
            ),
            _FLAGS,
        ),
        "seq",
    ),
    Table(
        "cdm_funding",
        "cdm",
        ("venue", "symbol", "seq"),
        "processed_time",
        "Mark price and funding as published.",
        (
            *_RECEIVED,
            *_double(
                ("mark_price", "quote per base"),
                ("index_price", "quote per base"),
                ("settle_price", "the venue's estimate; quote per base"),
                ("funding_rate", "fraction of the position per funding interval"),
            ),
            Field("next_funding_time", "TIMESTAMP_NS", "when the rate is paid, UTC"),
        ),
        "seq",
    ),
    Table(
        "cdm_open_interest",
        "cdm",
        ("venue", "symbol", "seq"),
        "processed_time",
        "Open interest as the venue answered.",
        (
            *_RECEIVED,
            Field("open_interest", "DOUBLE", "size of all open positions; base, or contracts"),
        ),
        "seq",
    ),
    Table(
        "cdm_liquidations",
        "cdm",
        ("venue", "symbol", "seq"),
        "processed_time",
        "Forced orders as published.",
        (
            *_RECEIVED,
            Field("direction", "BIGINT", "+1 the forced order buys, -1 it sells"),
            *_double(
                ("price", "quote per base"),
                ("size", "base, or contracts"),
                ("average_price", "mean price of what was filled, quote per base"),
            ),
            Field("status", "VARCHAR", "as the venue says it"),
        ),
        "seq",
    ),
    Table(
        "cdm_trade_enriched",
        "cdm",
        ("venue", "symbol", "seq"),
        "processed_time",
        "Every trade with the book strictly before it.",
        (
            *_RECEIVED,
            Field("trade_id", "BIGINT", "the venue's id of the trade"),
            *_double(
                ("price", "quote per base"),
                ("size", "base, or contracts"),
                ("value", "price times size in quote; contracts times their value on inverse"),
            ),
            Field("direction", "BIGINT", "+1 the aggressor bought, -1 sold, 0 unknown"),
            *_double(
                ("buy_volume", "the size where the aggressor bought, else 0"),
                ("sell_volume", "the size where the aggressor sold, else 0"),
                ("mid", "mean of best bid and ask, quote per base"),
                ("spread", "best ask minus best bid, quote per base"),
                ("spread_bps", "10,000 times spread over mid"),
                ("weighted_mid", "(Pb Qa + Pa Qb) / (Qa + Qb); micro_price in formulas"),
                ("bid_depth", "sum of bid_size over the levels kept"),
                ("ask_depth", "sum of ask_size over the levels kept"),
                ("book_age_ms", "receive time of the trade minus that of the book's last change"),
            ),
            *_LADDER,
            *_levels(("ofi", "order flow imbalance per level since the trade before; size")),
            _QUALITY,
        ),
        "seq",
    ),
    Table(
        "cdm_lob_l2",
        "cdm",
        ("venue", "symbol", "snapshot_time"),
        "processed_time",
        "The book at or before each boundary of the snapshot period.",
        (
            *WHERE,
            Field("snapshot_time", "TIMESTAMP_NS", "the boundary, a multiple of the period, UTC"),
            Field("processed_time", "TIMESTAMP_NS", "receive time of the message that wrote it"),
            *_LADDER,
            Field("last_id", "BIGINT", "update id of the book's last change"),
            _QUALITY,
        ),
        "snapshot_time",
    ),
    Table(
        "cdm_footprints",
        "cdm",
        ("venue", "symbol", "bar_clock", "bar_id", "low"),
        "feature_time",
        "Volume by price of the bars, in rows of one basis point of the bar's first price.",
        (
            *_OF_BAR,
            _FEATURE_TIME,
            *_double(
                ("low", "lowest price of the row"),
                ("high", "highest price of the row"),
                ("buy_volume", "volume where the aggressor bought"),
                ("sell_volume", "volume where the aggressor sold"),
                ("volume", "both, and trades of unknown side"),
            ),
            _QUALITY,
        ),
        "bar_id",
        repeats=True,
    ),
    Table(
        "cdm_labels",
        "cdm",
        ("venue", "symbol", "bar_clock", "bar_id", "label_name"),
        "label_end",
        "What came after each bar, written once it is known.",
        (
            *_OF_BAR,
            Field("label_name", "VARCHAR", "as the project calls it"),
            _FEATURE_TIME,
            Field("label_end", "TIMESTAMP_NS", "receive time at which the label became known"),
            *_double(
                ("label", "+1, -1, 0 for barriers; the forward return; null says why in quality"),
                ("ret", "return from the entry; the barrier's fraction where one was touched"),
            ),
            Field("barrier", "BIGINT", "which was touched: +1 upper, -1 lower, 0 the vertical one"),
            *_double(
                ("cost", "round-trip cost that the return must beat, a fraction"),
                ("weight", "sample weight; 1 until uniqueness weights are asked for"),
            ),
            _QUALITY,
        ),
        # no ordinal: labels are written as they become known, not in the order of their bars
    ),
    Table(
        "features",
        "feature",
        ("venue", "symbol", "bar_clock", "bar_id", "feature_set", "feature_name"),
        "feature_time",
        "One row per feature and bar of its own clock, normalised.",
        (
            *_OF_BAR,
            Field("feature_set", "VARCHAR", "the set that the feature is computed in"),
            Field("feature_name", "VARCHAR", "the feature's name in the set"),
            _FEATURE_TIME,
            *_double(
                ("value", "normalised and clipped; null says why in quality"),
            ),
            _QUALITY,
        ),
        "bar_id",
    ),
    Table(
        "qf_runs",
        "cdm",
        ("run_number", "table_name", "venue", "symbol", *PART_COLUMNS),
        "",
        "Which run wrote which rows from which definitions, code and input. Of the runs whose "
        "range holds a row's time, the one with the highest run_number wrote it.",
        RUN_FIELDS,
    ),
    Table(
        "qf_progress",
        "cdm",
        ("venue", "symbol"),
        "",
        "What is computed of each symbol, for the next run to go on from.",
        PROGRESS_FIELDS,
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _TABLES}

_BAR_FIELDS = (
    *_OF_BAR,
    Field("open_time", "TIMESTAMP_NS", "venue time of the first trade; the boundary if empty"),
    Field("close_time", "TIMESTAMP_NS", "venue time of the last trade"),
    _FEATURE_TIME,
    Field("close_seq", "BIGINT", "seq of the trade that made the bar exist"),
    Field("first_row", "BIGINT", "row number of the first trade on the tick clock"),
    Field("close_row", "BIGINT", "row number of the last trade on the tick clock"),
    *_double(
        ("open", "price of the first trade"),
        ("high", "highest price"),
        ("low", "lowest price"),
        ("close", "price of the last trade"),
        ("vwap", "value over volume"),
        ("volume", "sum of sizes"),
        ("value", "sum of values"),
        ("buy_volume", "volume where the aggressor bought"),
        ("sell_volume", "volume where the aggressor sold"),
    ),
    Field("trade_count", "BIGINT", "trades in the bar"),
    *_double(
        ("mid_close", "mid strictly before the last trade"),
        ("spread_close", "spread strictly before the last trade"),
        ("duration_ms", "close_time minus open_time"),
    ),
    _QUALITY,
)


def bar_table(rule: str) -> Table:
    """Return the table of one bar rule (`dollar`: cdm_dollar_bars). Errors: QF600."""
    return Table(
        f"cdm_{check_name(rule, 'bar rule')}_bars",
        "cdm",
        ("venue", "symbol", "bar_clock", "bar_id"),
        "feature_time",
        f"The bars closed by the rule {rule}, one clock per choice of its parameters.",
        _BAR_FIELDS,
        "bar_id",
    )


def vector_table(feature_set: str, features: Iterable[str]) -> Table:
    """Return the table of one set's decision vectors. Errors: QF600, QF608."""
    check_name(feature_set, "feature set")
    columns = []
    for name in features:
        check_name(name, "feature")
        columns.append(Field(name, "DOUBLE", f"{name} as the decision sees it, after staleness"))
        columns.append(Field(f"{name}_age_ms", "DOUBLE", f"age of {name} at the decision"))
    fields = (*_OF_BAR, _FEATURE_TIME, *columns, _QUALITY)
    seen: set[str] = set()
    for field in fields:
        if field.name.lower() in seen:  # DuckDB does not tell cases apart
            raise NAME_TAKEN(feature_set=feature_set, name=field.name)
        seen.add(field.name.lower())
    return Table(
        f"feature_vectors_{feature_set}",
        "feature",
        ("venue", "symbol", "bar_clock", "bar_id"),
        "feature_time",
        f"What a decision sees of the set {feature_set}: one row per bar of its clock.",
        fields,
        "bar_id",
    )
