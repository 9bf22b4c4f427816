"""The columns of the store's own tables: which run wrote what, and where the next one goes on."""

from __future__ import annotations

from qf.schema import Field

# What tells the parts of one table apart: each is written, skipped and recorded by itself.
PART_COLUMNS = ("bar_clock", "feature_set", "feature_name", "label_name")
# Tables of the store's own, which are no result.
RECORDS = ("qf_runs", "qf_progress")

WHERE = (
    Field("venue", "VARCHAR", "the venue's name, binance_spot for one"),
    Field("symbol", "VARCHAR", "the venue's name of the instrument"),
)

RUN_FIELDS = (
    Field("run_number", "BIGINT", "1, 2, 3 … in the order of the commits"),
    Field("run_id", "VARCHAR", "the run"),
    Field("table_name", "VARCHAR", "the table it wrote"),
    *WHERE,
    *(Field(name, "VARCHAR", f"the rows' {name}; null: all") for name in PART_COLUMNS),
    Field("start_time", "TIMESTAMP_NS", "first instant of the range rewritten; null: open"),
    Field("end_time", "TIMESTAMP_NS", "first instant after the range; null: open"),
    Field("first_event", "TIMESTAMP_NS", "receive time of the first event it was made of"),
    Field("last_event", "TIMESTAMP_NS", "receive time of the last"),
    Field("row_count", "BIGINT", "rows written"),
    Field("row_hash", "VARCHAR", "hash of the rows written, whatever their order"),
    Field("plan_hash", "VARCHAR", "wiring, parameters and kernels of the program"),
    Field("part_hash", "VARCHAR", "what decides these rows: formulas, kernels, clock"),
    Field("input_hash", "VARCHAR", "the tape's events up to the last one"),
    Field("input_hashes", "VARCHAR", "JSON object: input to its content hash"),
    Field("definitions_hash", "VARCHAR", "the project's definition files"),
    Field("versions", "VARCHAR", "JSON object: package to version"),
    Field("created", "TIMESTAMP_NS", "when the run began, UTC"),
    Field("quote_asof", "VARCHAR", "how trades were paired with the book"),
    Field("quote_lag_ms", "DOUBLE", "how much older a quote had to be, for `arrival`"),
)

PROGRESS_FIELDS = (
    *WHERE,
    Field("run_id", "VARCHAR", "the run that wrote this row"),
    Field("ledger", "VARCHAR", "JSON: parts with their ranges, saved states, counts"),
)
