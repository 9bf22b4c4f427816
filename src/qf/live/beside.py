"""What reading frames brings besides rows of the tape: findings, refused frames, side tables.

The tables that are the tape's own rows as published (trades, book differences, tickers) and those
beside it (funding, liquidations) are made here as a run copies them from a tape file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from qf.engines.parts import RAW_TABLES
from qf.feeds.record import Record
from qf.schema_tables import TABLES, Table
from qf.tape.instruments import Instrument
from qf.tape.side_rows import side_columns, side_row
from qf.tape.tables import TABLES as TAPE_TABLES

Published = tuple[Table, Mapping[str, Any]]


class Beside:
    """The sink of one symbol's reader: it counts findings and keeps side rows until taken.

    Tables that nobody wants are not made.
    """

    def __init__(
        self, instrument: Instrument, groups: frozenset[str], wants: Callable[[Table], bool]
    ) -> None:
        self._instrument, self._wants = instrument, wants
        named = [pair for group in sorted(groups) for pair in RAW_TABLES.get(group, ())]
        self._copied = [
            (source, TABLES[name])
            for source, name in named
            if source in TAPE_TABLES and wants(TABLES[name])
        ]
        self.findings: dict[str, int] = {}  # rule -> frames
        self.quarantined = 0
        self._side: dict[str, list[tuple[Any, ...]]] = {}

    def add_finding(self, seq: int, stream: str, rule: str) -> None:
        """Count a rule that a frame broke."""
        self.findings[rule] = self.findings.get(rule, 0) + 1

    def add_quarantined(
        self, seq: int, time: int, stream: str, rules: tuple[str, ...], payload: Any
    ) -> None:
        """Count a refused frame; the journal has its bytes."""
        self.quarantined += 1

    def add_side_row(self, seq: int, time: int, record: Record) -> None:
        """Keep a mark price or a liquidation."""
        name, row = side_row(seq, time, record)
        if not self._wants(TABLES[f"cdm_{name}"]):
            return
        self._side.setdefault(name, []).append(row)

    def take(self, block: Mapping[str, np.ndarray] | None) -> Iterator[Published]:
        """Yield the published rows of a block of whole frames, and the side rows since the last."""
        for source, table in self._copied if block is not None else ():
            assert block is not None
            batch = TAPE_TABLES[source](dict(block), self._instrument)
            if batch.num_rows:
                yield table, {name: batch.column(name) for name in batch.schema.names}
        side, self._side = self._side, {}
        for name, rows in side.items():
            yield TABLES[f"cdm_{name}"], side_columns(name, rows)

    def state(self) -> dict[str, Any]:
        """Return the counts, as JSON values; rows must have been taken."""
        return {"findings": dict(self.findings), "quarantined": self.quarantined}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.findings, self.quarantined = dict(state["findings"]), state["quarantined"]
        self._side = {}
