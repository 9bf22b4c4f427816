"""What a run is: the row set's origin, written to qf_runs in the transaction of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qf.schema import NULL_INT
from qf.schema_records import PART_COLUMNS

# Columns of qf_runs that are filled in part by part; null where a run wrote whole tables.
_OF_A_PART = (*PART_COLUMNS, "row_hash", "part_hash", "input_hash")


@dataclass(frozen=True)
class RunRecord:
    """Say which definitions, code and input a run's rows come from."""

    run_id: str
    plan_hash: str = ""
    definitions_hash: str = ""
    input_hashes: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    created: int = 0  # ns
    quote_asof: str = ""  # how trades were paired with the book, and the lag for `arrival`
    quote_lag_ms: float = 0.0

    def row(self) -> dict[str, Any]:
        """Return the columns of qf_runs that are the run's own."""
        return {
            **dict.fromkeys(_OF_A_PART),
            "first_event": NULL_INT,
            "last_event": NULL_INT,
            "run_id": self.run_id,
            "plan_hash": self.plan_hash,
            "definitions_hash": self.definitions_hash,
            "input_hashes": json.dumps(dict(self.input_hashes), sort_keys=True),
            "versions": json.dumps(dict(self.versions), sort_keys=True),
            "created": self.created,
            "quote_asof": self.quote_asof,
            "quote_lag_ms": self.quote_lag_ms,
        }
