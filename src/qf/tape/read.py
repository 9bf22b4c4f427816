"""One arrival after the other: parse it, count it, judge it, and add its rows to the columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from qf.feeds.record import IGNORED, STREAMS, Quarantine, Record
from qf.feeds.venue import Mapper
from qf.schema import BIT, NULL_INT
from qf.tape.columns import Columns
from qf.tape.screen import Screen
from qf.tape.source import Broken
from qf.tape.stamp import Stamped

CLOCK_STEP = BIT["clock_step"]


class Sink(Protocol):
    """Where everything goes that is no row of the tape."""

    def add_finding(self, seq: int, stream: str, rule: str) -> None:
        """Take the report that a frame broke a rule."""
        ...

    def add_quarantined(
        self, seq: int, time: int, stream: str, rules: tuple[str, ...], payload: Any
    ) -> None:
        """Take a refused frame."""
        ...

    def add_side_row(self, seq: int, time: int, record: Record) -> None:
        """Take a mark price or a liquidation."""
        ...


@dataclass
class Tally:
    """What ingest counted while it read."""

    frames: int = 0
    first_time: int = NULL_INT
    last_time: int = NULL_INT
    other_symbols: int = 0
    accounts: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, stream: str, verdict: str = "") -> None:
        """Count one received frame, and its verdict where ingest decides it."""
        account = self.accounts.setdefault(stream, {"received": 0, "quarantined": 0, "ignored": 0})
        account["received"] += 1
        if verdict:
            account[verdict] += 1

    def summary(self) -> dict[str, Any]:
        """Return the counts for the manifest."""
        return {
            "frames": self.frames,
            "first_time": self.first_time,
            "last_time": self.last_time,
            "other_symbols": self.other_symbols,
            "accounts": dict(sorted(self.accounts.items())),
        }


class Reader:
    """Steps 5 and 6 for one stamped arrival after the other."""

    def __init__(
        self, mapper: Mapper, symbol: str, trades: str, screen: Screen, sink: Sink
    ) -> None:
        self.columns, self.tally, self.trades = Columns(), Tally(), trades
        self._parse, self._symbol = mapper.parse, symbol
        other = "agg_trade" if trades == "trade" else "trade"
        self._ignored = (other, IGNORED.stream)
        self._screen, self._sink = screen, sink

    def read(self, item: Stamped) -> None:
        """Read one arrival: count it, judge it, and add its rows."""
        time, raw_time, payload, hint, rules = item
        try:
            if isinstance(payload, bytes):
                records = self._parse(payload, time)
            elif isinstance(payload, Broken):
                raise Quarantine(payload.rule)
            else:
                records = (payload,)
        except Quarantine as bad:
            symbol = bad.symbol or hint
            if symbol and symbol != self._symbol:
                self.tally.other_symbols += 1
                return
            seq = self._enter(time)
            self._refuse(seq, time, bad.stream, (bad.rules, rules), payload)
            return
        for record in records:
            symbol = record.symbol or hint
            if symbol and symbol != self._symbol:
                self.tally.other_symbols += 1
                continue
            self._record(record, time, raw_time, payload, rules)

    def _enter(self, time: int) -> int:
        tally = self.tally
        seq = tally.frames
        tally.frames += 1
        if seq == 0:
            tally.first_time = time
        tally.last_time = time
        return seq

    def _record(
        self, record: Record, time: int, raw_time: int, payload: Any, rules: tuple[str, ...]
    ) -> None:
        seq = self._enter(time)
        stream = record.stream
        if stream in self._ignored:
            self.tally.count(stream, "ignored")
            self._report(seq, stream, rules)
            return
        bad, notes, flags, levels = self._screen.judge(record, raw_time, time)
        notes = (*notes, *rules)
        if levels is None:
            self._refuse(seq, time, stream, (bad, notes), payload)
            return
        self.tally.count(stream)
        if notes:
            self._report(seq, stream, notes)
            flags |= CLOCK_STEP if "clock_step" in notes else 0
        if record.values:
            self._sink.add_side_row(seq, time, record)
        if STREAMS[stream]:
            self.columns.add(seq, time, record, flags, levels)

    def _refuse(
        self,
        seq: int,
        time: int,
        stream: str,
        rules: tuple[tuple[str, ...], tuple[str, ...]],
        payload: Any,
    ) -> None:
        bad, notes = rules
        self.tally.count(stream, "quarantined")
        self._report(seq, stream, (*bad, *notes))
        self._sink.add_quarantined(seq, time, stream, bad, payload)
        kind = STREAMS[stream]
        if kind or stream == "unreadable":
            self.columns.add_bad(seq, kind, time, CLOCK_STEP if "clock_step" in notes else 0)

    def _report(self, seq: int, stream: str, rules: tuple[str, ...]) -> None:
        for rule in dict.fromkeys(rules):
            self._sink.add_finding(seq, stream, rule)
