"""One symbol's part of a run's transaction: clear, take the rows, record what is there now.

1. begin: what was there of another definition or another input is removed, in the range
2. the rows come: written by the symbol's work itself, from a thread that makes them, or from the
   files of a worker
3. end: qf_runs gets a row per part, the database the ledger
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from qf.engines.ledger import Ledger
from qf.engines.row_stream import RowStream
from qf.engines.symbol_work import Done, Intent
from qf.schema_tables import Table
from qf.store.change import Change


class SymbolChange:
    """Carry out in the owner's transaction what a symbol's work has decided and made."""

    def __init__(self, change: Change, tables: Mapping[str, Table], ledger: Ledger) -> None:
        """`tables` are those that the run's plan may write, by name; all of them exist."""
        self._change, self._tables, self._ledger = change, tables, ledger

    def begin(self, intent: Intent) -> None:
        """Remove the rows that new ones replace, and say which tables' files are wanted."""
        change = self._change
        where = {"venue": intent.venue, "symbol": intent.symbol}
        gone: defaultdict[str, int] = defaultdict(int)  # rows removed, by table
        change.prepare([self._tables[name] for name in intent.tables], **where)
        there = change.rows_of([self._tables[name] for name in intent.tables], **where)
        for clear in intent.clears:
            if there[clear.table]:
                table = self._tables[clear.table]
                gone[clear.table] += change.clear(table, clear.parts, clear.span)
        for name in intent.tables:
            appended = not gone[name] and bool(self._tables[name].made)
            left = there[name] - gone[name]
            change.want_file(self._tables[name], **where, appended=appended, left=left)

    def follow(self, stream: RowStream) -> None:
        """Begin, and take the rows that a thread makes while it makes them."""
        intent = stream.intent()
        if intent is None:
            return
        self.begin(intent)
        where = (intent.venue, intent.symbol)
        for name, batches in stream.rows(self._change.catch_up):
            rows = sum(batch.num_rows for batch in batches)
            self._change.take(self._tables[name], where, batches, rows)

    def take(self, intent: Intent, files: Mapping[str, tuple[str, int]]) -> None:
        """Take what a worker has written: per table its file, and how many rows to read there."""
        where = (intent.venue, intent.symbol)
        for name, (file, rows) in files.items():
            self._change.take(self._tables[name], where, Path(file), rows)

    def end(self, intent: Intent, done: Done) -> None:
        """Record what was made."""
        if done.ledger is None:
            return
        where = {"venue": intent.venue, "symbol": intent.symbol}
        own = {
            "plan_hash": done.result.plan_hash,
            "input_hashes": json.dumps({intent.symbol: done.result.tape.key}),
        }
        self._change.log([{**own, **row} for row in done.log])
        ledger = Ledger.read(done.ledger)
        ledger.wrote = self._ledger.wrote | self._change.versions(self._ledger.wrote, **where)
        self._change.keep(**where, ledger=ledger.row())
